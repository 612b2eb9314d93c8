#include "report/program_report.hpp"

#include "report/json_writer.hpp"

namespace boundflow {

namespace {

void write_task(JsonWriter& json, const PageTask& task) {
  json.open('{');
  json.member("name", task.name);
  json.member("rows", task.rows);
  json.member("tightens", task.tightens);
  json.array("depends_on", task.depends_on);
  json.member("subproblem_bytes", task.bytes_per_subproblem);
  json.member("row_bytes", task.bytes_per_row);
  json.open('[', "ops");
  for (const PageOp& op : task.ops) {
    json.open('{');
    json.member("kind", op.kind);
    json.member("text", op.text);
    json.close('}');
  }
  json.close(']');
  json.close('}');
}

void write_arena(JsonWriter& json, const PageArena& arena) {
  json.open('{');
  json.member("unit", arena.unit);
  json.member("unit_bytes", arena.bytes);
  json.member("without_reuse_bytes", arena.bytes_without_reuse);
  json.open('[', "buffers");
  for (const PageBuffer& buffer : arena.buffers) {
    json.open('{');
    json.member("name", buffer.name);
    json.member("kind", buffer.kind);
    json.member("offset_bytes", buffer.offset);
    json.member("size_bytes", buffer.bytes);
    json.member("first_op", buffer.first_op);
    json.member("last_op", buffer.last_op);
    json.close('}');
  }
  json.close(']');
  json.close('}');
}

}  // namespace

std::string to_json(const ProgramReport& report) {
  JsonWriter json;
  json.open('{');
  json.member("schema", 1);
  json.member("boundflow", report.version);
  json.member("network", report.network);
  json.member("key", report.key);
  json.member("executor", report.executor);
  json.open('[', "tasks");
  for (const PageTask& task : report.program.tasks) write_task(json, task);
  json.close(']');
  json.open('[', "arenas");
  for (const PageArena& arena : report.program.arenas) write_arena(json, arena);
  json.close(']');
  json.close('}');
  return json.finish();
}

}  // namespace boundflow
