// The text form of networks: what is printed reads back as the same network, and what is broken is refused at its
// place.
#include "ir/network_parser.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <bit>
#include <cmath>

#include "frontends/onnx/onnx.hpp"
#include "support/network_identity.hpp"
#include "support/random_image_network.hpp"
#include "support/random_network.hpp"

namespace boundflow {
namespace {

// Texts as the printer writes them.
const char* const kPrinted[] = {
    // Several inputs and outputs; ids in any order.
    R"(network
input %1 "x" : float32[1, 2]
input %2 "y" : float64[]
constant %0 "c" : float32[2] = {0.5, -1.0}
node "n" : Add(%1, %0) -> %4 "z" : float32[1, 2]
node "m" : Exp(%2) -> %3 "w" : float64[]
output %4
output %3
)",
    // Constants of every dtype and rank, empty ones among them, some never read.
    R"(network
input %0 "x" : float32[1]
constant %1 "scalar" : float32[] = {-0.0}
constant %2 "empty" : int64[0] = {}
constant %3 "emptier" : float64[2, 0, 3] = {}
constant %4 "bools" : bool[2, 2] = {true, false, false, true}
constant %5 "wide" : int64[3] = {-9223372036854775808, 0, 9223372036854775807}
constant %6 "limits" : float32[6] = {1e-45, 1.1754942e-38, 1.1754944e-38, 3.4028235e+38, -1e-45, 16777216.0}
constant %7 "doubles" : float64[5] = {5e-324, -2.2250738585072014e-308, 1.7976931348623157e+308, 0.1, 1e+16}
node "n" : Relu(%0) -> %8 "y" : float32[1]
output %8
)",
    // Attributes of every kind; absent inputs; several outputs; no inputs at all.
    R"(network
input %0 "x" : float32[2]
node "a" : Op(_, %0, _) {f = 1.0, fs = floats[], i = -1, is = ints[], s = ""} -> %1 "p" : float32[2], %2 "q" : int64[]
node "b" : Op(%1, _) {big = 1e+20, fs = floats[0.5, -0.0, inf, -inf], is = ints[0, 1], minus = -0.0} -> %3 "r" : bool[1]
node "c" : Op() {t = bool[2] {true, false}, u = float64[] {1.5}, v = int64[0] {}} -> %4 "s" : float32[1]
node "d" : Op(%2) {a = nan, b = nan_7ff8000000000001, c = nan_fff8000000000000, d = -inf, e = inf} -> %5 "t" : float32[1]
output %4
)",
    // Names: any bytes, keywords, empty or equal ones; operators and attributes that are no words.
    R"(network
input %0 "a\"b\\c\x0a\x00\x7f # \\x41 é 日本 %0 -> {" : float32[1]
input %1 "" : float32[1]
constant %2 "" : float32[1] = {1.0}
node "output" : node(%0) {"" = 1, "a b" = 2, ints = 3, nan = nan, "é" = "é"} -> %3 "same" : float32[1]
node "%7" : "ai.on nx"(%1) -> %4 "same" : float32[1]
node "x" : ai.onnx.Relu(%1) -> %5 "same" : float32[1]
node "_" : _(_) -> %6 "_" : float32[1]
node "y" : "2nd"(%1) -> %7 "same" : float32[1]
output %3
)",
};

TEST(NetworkParser, ReadsWhatThePrinterWrites) {
  for (const std::string text : kPrinted) {
    SCOPED_TRACE(text);
    const Network network = parse_network(text);
    EXPECT_EQ(print(network, kAllElements), text);
    expect_identity(network);
  }
}

TEST(NetworkParser, BuildsTheNetworkThatIsMeant) {
  Network expected;
  const ValueId x = expected.add_input("x", {DType::Float32, {1, 2}});
  const ValueId w = expected.add_constant("w", Tensor({2, 1}, std::vector<float>{-0.0F, 1e-45F}));
  const NodeId node =
      expected.add_node("Op", "n", {x, kNoValue, w}, {"y", "z"}, {{DType::Float32, {1}}, {DType::Bool, {}}},
                        {{"f", 1.0},
                         {"fs", std::vector<double>{0.5}},
                         {"i", std::int64_t{1}},
                         {"is", std::vector<std::int64_t>{}},
                         {"s", std::string("\"\\\n", 3)},
                         {"t", Tensor({1}, std::vector<bool>{true})}});
  expected.set_outputs({expected.node(node).outputs[1]});
  // Comments, line ends where they please, and floating elements without a point.
  expect_same(expected, parse_network("# What it is for.\r\n"
                                      "network input %0 \"x\":float32[1,2] # one input\n"
                                      "constant %1 \"w\" : float32[2, 1] = {\n  -0,\n  1e-45\n}\n"
                                      "node \"n\" : Op(%0,_,%1) {t = bool[1] {true}, f = 1.0, fs = floats[0.5], "
                                      "i = 1, is = ints[], s = \"\\\"\\\\\\x0a\"}\n"
                                      "  -> %2 \"y\" : float32[1], %3 \"z\" : bool[]\n"
                                      "output %3 # no line end"));
}

TEST(NetworkParser, IdentityOnSamplesOfAllOperators) {
  for (const Operator& op : operator_table().all()) {
    if (op.sample == nullptr) continue;
    for (std::uint64_t seed = 0; seed < 12; ++seed) {
      SCOPED_TRACE(std::string(op.name) + " seed " + std::to_string(seed));
      Random random(seed);
      expect_identity(op.sample(random));
      if (testing::Test::HasFailure()) return;
    }
  }
}

TEST(NetworkParser, IdentityOnRandomNetworks) {
  for (std::uint64_t seed = 0; seed < 60; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Random random(seed);
    expect_identity(random_network(random, {.dtype = seed % 2 == 0 ? DType::Float32 : DType::Float64}));
    expect_identity(random_image_network(random));
    if (testing::Test::HasFailure()) return;
  }
}

TEST(NetworkParser, IdentityOnRandomBits) {
  Random random(7);
  std::vector<float> floats;
  std::vector<double> doubles, all;
  for (int i = 0; i < 2000; ++i) {
    const auto half = [&] { return static_cast<std::uint64_t>(random.integer(0, 0xffffffff)); };
    const std::uint64_t bits = half() << 32 | half();
    const auto single = std::bit_cast<float>(static_cast<std::uint32_t>(bits));
    const auto twice = std::bit_cast<double>(bits), subnormal = std::bit_cast<double>(bits >> 13);
    if (std::isfinite(single)) floats.push_back(single);
    if (std::isfinite(twice)) doubles.push_back(twice);
    if (std::isfinite(subnormal)) doubles.push_back(subnormal);
    all.push_back(twice);
    // All ones in the exponent: infinities and every kind of NaN.
    all.push_back(std::bit_cast<double>(bits | 0x7ff0000000000000ULL));
  }
  Network network;
  const ValueId x = network.add_input("x", {DType::Float32, {1}});
  const auto count = [](const auto& elements) { return Shape{static_cast<std::int64_t>(elements.size())}; };
  network.add_constant("floats", Tensor(count(floats), floats));
  network.add_constant("doubles", Tensor(count(doubles), doubles));
  network.add_node("Op", "n", {x}, {"y"}, {{DType::Float32, {1}}}, {{"all", all}});
  network.set_outputs({3});
  expect_identity(network);
}

TEST(NetworkParser, IdentityOnTheExamples) {
  for (const std::string name : {"digits_mlp", "digits_cnn"}) {
    SCOPED_TRACE(name);
    expect_identity(read_onnx(std::string(BOUNDFLOW_SOURCE_DIR) + "/examples/digits/" + name + ".onnx"));
  }
}

struct Broken {
  const char* name;
  std::string text;
  std::string message;  // the whole of it, or its beginning where it ends in "..."
};

void PrintTo(const Broken& broken, std::ostream* out) {
  *out << broken.name;
}

class BrokenNetworkText : public testing::TestWithParam<Broken> {};

TEST_P(BrokenNetworkText, IsRefusedAtItsPlace) {
  try {
    parse_network(GetParam().text, "n.txt");
    FAIL() << "accepted";
  } catch (const InputError& error) {
    const std::string& message = GetParam().message;
    if (message.ends_with("...")) {
      EXPECT_THAT(error.what(), testing::StartsWith(message.substr(0, message.size() - 3)));
    } else {
      EXPECT_EQ(error.what(), message);
    }
  }
}

const std::string kX = "network\ninput %0 \"x\" : float32[2]\n";  // line 3 follows
const std::string kY = kX + "node \"n\" : Relu(%0) -> %1 \"y\" : float32[2]\n";
const std::string kEnd = "\noutput %1\n";

const Broken kBroken[] = {
    {"Empty", "", "n.txt:1:1: expected 'network', found the end of the text"},
    {"OtherFormat", "\x08\x07", "n.txt:1:1: expected 'network', found '\x08'"},
    {"SectionsInAnotherOrder", kY + "constant %2 \"c\" : bool[] = {true}\n",
     "n.txt:4:1: expected a line 'input', 'constant', 'node' or 'output', in this order, found 'constant'"},
    {"UnknownLine", kX + "value %1",
     "n.txt:3:1: expected a line 'input', 'constant', 'node' or 'output', in this order, found 'value'"},
    {"LongToken", kX + std::string(60, 'v'),
     "n.txt:3:1: expected a line 'input', 'constant', 'node' or 'output', in this order, found '" +
         std::string(40, 'v') + "...'"},
    // Values.
    {"InputWithoutId", "network\ninput \"x\" : float32[2]", "n.txt:2:7: expected a value such as %0, found '\"x\"'"},
    {"IdWithoutNumber", "network input % \"x\"", "n.txt:1:15: expected a value such as %0, found '%'"},
    {"IdOutOfRange", "network input %2147483648 \"x\"", "n.txt:1:15: expected a value such as %0, found '%2147483648'"},
    {"NegativeId", "network input %-1 \"x\"", "n.txt:1:15: expected a value such as %0, found '%'"},
    {"ValueWithoutName", "network\ninput %0 : float32[2]",
     "n.txt:2:10: expected the value's name in quotes, found ':'"},
    {"ValueWithoutType", "network\ninput %0 \"x\"\nnode", "n.txt:3:1: expected ':', found 'node'"},
    {"UnknownDtype", "network\ninput %0 \"x\" : float16[2]",
     "n.txt:2:16: expected float32, float64, int64 or bool, found 'float16'"},
    {"TypeWithoutShape", "network\ninput %0 \"x\" : float32\noutput %0", "n.txt:3:1: expected '[', found 'output'"},
    {"OpenShape", "network\ninput %0 \"x\" : float32[2 3]", "n.txt:2:26: expected ',' or ']', found '3'"},
    {"FloatDimension", "network\ninput %0 \"x\" : float32[2.0]", "n.txt:2:24: expected an integer, found '2.0'"},
    {"HugeDimension", "network\ninput %0 \"x\" : float32[9223372036854775808]",
     "n.txt:2:24: 9223372036854775808 is out of the range of int64"},
    {"NegativeDimension", "network\ninput %0 \"x\" : float32[2, -1]",
     "n.txt:2:16: shape [2, -1] has a negative dimension"},
    {"TooManyElements", "network\ninput %0 \"x\" : float32[1099511627776, 2]",
     "n.txt:2:16: shape [1099511627776, 2] has too many elements"},
    {"DefinedTwice", kX + "constant %0 \"c\" : bool[] = {true}", "n.txt:3:10: %0 is already defined in line 2"},
    {"OutputDefinedTwice", kX + "node \"n\" : Split(%0) -> %1 \"y\" : float32[1], %1 \"z\" : float32[1]" + kEnd,
     "n.txt:3:46: %1 is already defined in line 3"},
    {"MissingId", kX + "node \"n\" : Relu(%0) -> %7 \"y\" : float32[2]\noutput %7",
     "n.txt:3:24: ids count from %0 without gaps, but %1 is missing"},
    // Strings.
    {"OpenString", "network\ninput %0 \"x : float32[2]\n\"", "n.txt:2:10: this string is not closed on its line"},
    {"OpenStringAtTheEnd", "network input %0 \"x\\", "n.txt:1:18: this string is not closed on its line"},
    {"UnknownEscape", "network\ninput %0 \"a\\n\" : float32[2]",
     R"(n.txt:2:12: expected \", \\ or \x and two hexadecimal digits)"},
    {"ShortEscape", "network\ninput %0 \"\\x1\" : float32[2]",
     R"(n.txt:2:11: expected \", \\ or \x and two hexadecimal digits)"},
    // Constants.
    {"ElidedConstant", kX + "constant %1 \"c\" : bool[20] = <20 elements, fnv1a 0f1e2d3c4b5a6978>",
     "n.txt:3:30: the elements of this constant were not printed; print the network with kAllElements"},
    {"ConstantWithoutElements", kX + "constant %1 \"c\" : bool[20]\noutput", "n.txt:4:1: expected '=', found 'output'"},
    {"TooFewElements", kX + "constant %1 \"c\" : int64[2, 2] = {1, 2, 3}",
     "n.txt:3:33: found 3 elements, but int64[2, 2] has 4"},
    {"TooManyElementsListed", kX + "constant %1 \"c\" : float64[] = {1.0, 2.0}",
     "n.txt:3:31: found 2 elements, but float64[] has 1"},
    {"OpenElements", kX + "constant %1 \"c\" : bool[1] = {true",
     "n.txt:3:34: expected ',' or '}', found the end of the text"},
    {"TrailingComma", kX + "constant %1 \"c\" : int64[1] = {1,}", "n.txt:3:33: expected an integer, found '}'"},
    {"NumberAsBool", kX + "constant %1 \"c\" : bool[1] = {1}", "n.txt:3:30: expected true or false, found '1'"},
    {"FloatAsInteger", kX + "constant %1 \"c\" : int64[1] = {1.0}", "n.txt:3:31: expected an integer, found '1.0'"},
    {"WordAsNumber", kX + "constant %1 \"c\" : float32[1] = {one}", "n.txt:3:33: expected a number, found 'one'"},
    {"GarbageBehindANumber", kX + "constant %1 \"c\" : float32[1] = {1.0f}",
     "n.txt:3:33: expected a number, found '1.0f'"},
    {"FloatOutOfRange", kX + "constant %1 \"c\" : float32[1] = {1e39}",
     "n.txt:3:33: 1e39 is out of the range of float32"},
    {"FloatUnderflow", kX + "constant %1 \"c\" : float64[1] = {1e-400}",
     "n.txt:3:33: 1e-400 is out of the range of float64"},
    {"NanWithAnotherSign", kX + "constant %1 \"c\" : float32[1] = {-nan}",
     "n.txt:3:33: expected a number, found '-nan'"},
    {"NanWithBitsOfANumber", kX + "constant %1 \"c\" : float32[1] = {nan_3f800000}",
     "n.txt:3:33: expected nan, or nan_ and the bits of one in hexadecimal, found 'nan_3f800000'"},
    {"NanWithoutBits", kX + "constant %1 \"c\" : float32[1] = {nan_}",
     "n.txt:3:33: expected nan, or nan_ and the bits of one in hexadecimal, found 'nan_'"},
    // Nodes.
    {"NodeWithoutName", kX + "node Relu(%0)", "n.txt:3:6: expected the node's name in quotes, found 'Relu'"},
    {"NodeWithoutOperator", kX + "node \"n\" : (%0)", "n.txt:3:12: expected an operator, found '('"},
    {"NodeWithoutOperands", kX + "node \"n\" : Relu -> %1", "n.txt:3:17: expected '(', found '->'"},
    {"OperandByName", kX + "node \"n\" : Relu(x)", "n.txt:3:17: expected a value such as %0, found 'x'"},
    {"UndefinedOperand", kX + "node \"n\" : Add(%0, %5)", "n.txt:3:20: no line above defines %5"},
    {"ReadsItself", kX + "node \"n\" : Relu(%1) -> %1 \"y\" : float32[2]" + kEnd,
     "n.txt:3:17: no line above defines %1"},
    {"NodeWithoutOutputs", kX + "node \"n\" : Relu(%0)\noutput %0", "n.txt:4:1: expected '->', found 'output'"},
    {"UndefinedOutput", kX + "output %1", "n.txt:3:8: no line above defines %1"},
    {"AttributeWithoutName", kX + "node \"n\" : Op(%0) {1}",
     "n.txt:3:20: expected the name of an attribute, found '1'"},
    {"AttributeWithoutValue", kX + "node \"n\" : Op(%0) {a}", "n.txt:3:21: expected '=', found '}'"},
    {"AttributeTwice", kX + "node \"n\" : Op(%0) {a = 1, a = 2}", "n.txt:3:27: attribute 'a' is given twice"},
    {"UnknownAttribute", kX + "node \"n\" : Op(%0) {a = [1]}",
     "n.txt:3:24: expected a number, a string, ints[...], floats[...] or a tensor such as int64[2] {0, 1}, found '['"},
    {"AttributeWithoutTensor", kX + "node \"n\" : Op(%0) {a = <no tensor>}",
     "n.txt:3:24: expected a number, a string..."},
    {"ElidedAttribute", kX + "node \"n\" : Op(%0) {a = bool[9] <9 elements, fnv1a 0f1e2d3c4b5a6978>}",
     "n.txt:3:32: the elements of this constant were not printed..."},
    {"FloatAmongInts", kX + "node \"n\" : Op(%0) {a = ints[1, 2.5]}", "n.txt:3:32: expected an integer, found '2.5'"},
    {"HugeInteger", kX + "node \"n\" : Op(%0) {a = -9223372036854775809}",
     "n.txt:3:24: -9223372036854775809 is out of the range of int64"},
    // Well formed, but no network: the verifier's rules.
    {"NoInput", "network", "n.txt: [V8 has-input-and-output] the network has no input"},
    {"NoOutput", kY, "n.txt: [V8 has-input-and-output] the network has no output..."},
    {"EqualNodeNames", kY + "node \"n\" : Relu(%1) -> %2 \"z\" : float32[2]" + kEnd,
     "n.txt: [V5 unique-node-names] two nodes are named 'n'\n  node \"n\" : Relu(%0)..."},
    {"ConstantOutput", kX + "constant %1 \"c\" : bool[] = {true}" + kEnd,
     "n.txt: [V6 outputs-defined] value %1 'c'..."},
    {"OutputTwice", kY + "output %1" + kEnd, "n.txt: [V6 outputs-defined] value %1 'y' is an output twice..."},
    {"NotFinite", kX + "constant %1 \"c\" : float32[2] = {nan, inf}\noutput %0",
     "n.txt: [V9 finite-constants] value %1 'c' holds NaN or infinity"},
    {"NoElements", kX + "node \"n\" : Relu(%0) -> %1 \"y\" : float32[0]" + kEnd, "n.txt: [V10 shapes] value %1 'y'..."},
};

INSTANTIATE_TEST_SUITE_P(NetworkParser, BrokenNetworkText, testing::ValuesIn(kBroken),
                         [](const auto& info) { return std::string(info.param.name); });

// Whatever happens to a text, it is a network that reads back, or an InputError.
TEST(NetworkParser, DamagedTextsAreRefusedOrAreNetworks) {
  static constexpr std::string_view kPutIn("\"%{]-,9n\\#\n\0 ", 13);
  int accepted = 0, refused = 0;
  const auto read = [&](const std::string& text) {
    try {
      const Network network = parse_network(text);
      ++accepted;
      expect_identity(network);
    } catch (const InputError&) {
      ++refused;
    }
  };
  for (const std::string whole : kPrinted) {
    for (std::size_t i = 0; i < whole.size(); ++i) {
      read(whole.substr(0, i));
      read(whole.substr(0, i) + whole.substr(i + 1));
      std::string text = whole;
      text[i] = kPutIn[i % kPutIn.size()];
      read(text);
      ASSERT_FALSE(testing::Test::HasFailure()) << "byte " << i << " of\n" << whole;
    }
  }
  EXPECT_GT(accepted, 300);
  EXPECT_GT(refused, 3000);
}

TEST(NetworkParser, NamesTheTextWithoutAFile) {
  try {
    parse_network("net");
    FAIL() << "accepted";
  } catch (const InputError& error) {
    EXPECT_STREQ(error.what(), "<text>:1:1: expected 'network', found 'net'");
  }
}

}  // namespace
}  // namespace boundflow
