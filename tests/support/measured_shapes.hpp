#pragma once
#include <array>
#include <cstdint>

/// The shapes that the micro-benchmarks time, by family; measured_shapes_test.cpp checks the operations at every one of them.
namespace measured {

template <std::size_t rows, std::size_t columns>
using Table = std::array<std::array<std::int64_t, columns>, rows>;

/// Rows, outputs, inputs of a linear layer.
inline constexpr Table<6, 3> linear = {
    {{8, 32, 32}, {64, 2048, 1024}, {64, 512, 1024}, {256, 768, 3072}, {1280, 8000, 512}, {1536, 1024, 256}}};
/// Rows, columns: attention's weights, and a vocabulary.
inline constexpr Table<3, 2> softmax = {{{6144, 24}, {2048, 2048}, {1280, 8000}}};
inline constexpr Table<3, 2> layer_norm = {{{1536, 256}, {256, 768}, {8192, 1024}}};
/// Rows, classes.
inline constexpr Table<3, 2> cross_entropy = {{{64, 10}, {1280, 8000}, {256, 50257}}};
/// Rows of the table and their size.
inline constexpr Table<2, 2> embedding = {{{8000, 256}, {50257, 768}}};
/// Batch, size.
inline constexpr Table<3, 2> lstm_step = {{{1, 512}, {64, 256}, {64, 512}}};
inline constexpr Table<3, 2> lstm_layer = {{{8, 64}, {64, 256}, {64, 512}}};
/// Batch, heads, places, causal or not; heads of 64.
inline constexpr Table<4, 4> attention = {{{64, 4, 24, 0}, {64, 4, 24, 1}, {4, 12, 64, 1}, {1, 8, 2048, 1}}};
/// Elements.
inline constexpr Table<2, 1> elementwise = {{{64}, {1 << 20}}};
/// Rows, columns of a product with a row that broadcasts.
inline constexpr Table<2, 2> broadcast = {{{1536, 256}, {65536, 16}}};
/// Elements of a parameter.
inline constexpr Table<3, 1> adam = {{{1 << 10}, {1 << 18}, {1 << 24}}};

}  // namespace measured
