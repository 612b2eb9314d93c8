#include "frontends/vnnlib/vnnlib.hpp"

#include "frontends/vnnlib/parser.hpp"
#include "frontends/vnnlib/regions.hpp"
#include "io/gzip.hpp"

namespace boundflow {

Property parse_vnnlib(std::string_view text, const std::string& file_name, std::int64_t inputs, std::int64_t outputs,
                      const Deadline& deadline) {
  const vnnlib::ParsedFile parsed = vnnlib::parse(text, file_name, inputs, outputs, deadline);
  Property property;
  property.input_count = inputs;
  property.output_count = outputs;
  property.regions = vnnlib::split_into_regions(parsed, deadline);
  return property;
}

Property read_vnnlib(const std::string& path, std::int64_t inputs, std::int64_t outputs, const Deadline& deadline) {
  return parse_vnnlib(read_file(path), path, inputs, outputs, deadline);
}

}  // namespace boundflow
