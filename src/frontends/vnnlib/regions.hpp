#pragma once
// Formula -> regions: boxes are split exactly where a disjunction bounds inputs, the rest becomes clauses.

#include <vector>

#include "frontends/vnnlib/parser.hpp"
#include "ir/property.hpp"

namespace boundflow::vnnlib {

// InputError where an input lacks a bound in some region, or where the regions are too many to be written out.
std::vector<Region> split_into_regions(const ParsedFile& parsed, const Deadline& deadline);

}  // namespace boundflow::vnnlib
