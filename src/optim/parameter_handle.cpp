#include "weft/optim/parameter_handle.hpp"

#include "base/fail.hpp"

namespace weft::optim {

void ParameterHandle::check_there(const char* user) const {
  check<ValueError>(is_there(), user, "'{}' is gone with its module; make this anew", name_);
}

}  // namespace weft::optim
