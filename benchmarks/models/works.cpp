#include "models/models.hpp"

namespace bench {
namespace {

constexpr Entry entries[] = {{"lstm", lstm},     {"transformer", transformer},
                             {"gpt2", gpt2},     {"attention", attention},
                             {"ragged", ragged}, {"conv", conv},
                             {"ctc", ctc},       {"mlp", mlp},
                             {"tape", tape}};

}  // namespace

std::span<const Entry> works() { return entries; }

}  // namespace bench
