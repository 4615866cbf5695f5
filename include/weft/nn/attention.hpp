#pragma once
// Attention over a memory, of every kind; docs/attention.md compares them. With all of what heads can do:
// multihead_attention.hpp.
#include "weft/nn/attention/additive.hpp"
#include "weft/nn/attention/attention.hpp"
#include "weft/nn/attention/concat.hpp"
#include "weft/nn/attention/cosine.hpp"
#include "weft/nn/attention/coverage.hpp"
#include "weft/nn/attention/dot.hpp"
#include "weft/nn/attention/general.hpp"
#include "weft/nn/attention/grid.hpp"
#include "weft/nn/attention/hierarchical.hpp"
#include "weft/nn/attention/local.hpp"
#include "weft/nn/attention/location.hpp"
#include "weft/nn/attention/multi_head.hpp"
#include "weft/nn/attention/pointer_generator.hpp"
#include "weft/nn/attention/pooling.hpp"
#include "weft/nn/attention/sparse.hpp"
