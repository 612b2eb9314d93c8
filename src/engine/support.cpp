#include "engine/support.hpp"

#include "domains/crown/crown.hpp"
#include "domains/interval/interval.hpp"
#include "domains/point/point.hpp"

namespace boundflow {

const std::vector<DomainSupport>& domain_support() {
  static const std::vector<DomainSupport> table = {
      {"interval", interval::supports}, {"crown", crown::supports}, {"point", point::supports}};
  return table;
}

}  // namespace boundflow
