#pragma once
#include <stdexcept>
#include <string>

namespace weft {

/// Base of all exceptions that weft throws. what() says which operation, which argument, both shapes,
/// the module path where there is one, and what to do.
class Error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// Shapes that don't fit each other or the operation.
class ShapeError : public Error {
 public:
  using Error::Error;
};

/// Data types that don't fit each other or the operation.
class DTypeError : public Error {
 public:
  using Error::Error;
};

/// An index, axis or class outside its range.
class IndexError : public Error {
 public:
  using Error::Error;
};

/// An argument outside its domain (a probability of 2, a window of 0).
class ValueError : public Error {
 public:
  using Error::Error;
};

/// Misuse of a tape: a dead tape's variable, a second backward, a value changed after it was saved.
class TapeError : public Error {
 public:
  using Error::Error;
};

/// A non-finite number where a finite one is required.
class NumericError : public Error {
 public:
  using Error::Error;
};

/// The system refused: a path that can't be read, a full disk.
class IoError : public Error {
 public:
  using Error::Error;
};

/// A file that is not what it claims to be: truncated, altered, wrong encoding, wrong version.
class FormatError : public Error {
 public:
  using Error::Error;
};

/// The system has no memory left for a tensor, not even what the pool kept for reuse.
class OutOfMemoryError : public Error {
 public:
  using Error::Error;
};

/// A library underneath failed; `status` is its own code.
class LibraryError : public Error {
 public:
  LibraryError(const std::string& message, int status) : Error(message), status_(status) {}
  int status() const { return status_; }

 private:
  int status_;
};

}  // namespace weft
