#pragma once

namespace weft {

/// While it lives, the first operation on this thread that makes a NaN or an infinity throws NumericError, forward and
/// backward, recorded or not. The message names the operation, the module's path, forward or backward, the shapes, how many
/// elements aren't finite and the index of the first. An operation that only passes on what it was given isn't blamed: the
/// message says that its input held the number before. What selection (where, masked_fill) keeps out of the result is
/// allowed. In backward each rule's gradients are looked at as soon as it has run, weight gradients included, and so is what
/// a hook puts in; the operations inside of a rule aren't named.
///   DetectAnomaly guard;
///   tape.backward(loss);   // [log] backward made 1 of 6 elements of the gradient of input 0 non-finite: inf at [0, 2] ...
/// Each check reads every value once. Without a guard it costs one branch for each operation.
class DetectAnomaly {
 public:
  DetectAnomaly();
  ~DetectAnomaly();
  DetectAnomaly(const DetectAnomaly&) = delete;
  DetectAnomaly& operator=(const DetectAnomaly&) = delete;

 private:
  bool previous_;
};

}  // namespace weft
