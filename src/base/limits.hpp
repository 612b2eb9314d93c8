#pragma once
// How much a file may ask for. A few bytes can name any amount: a shape, a padding, a product of disjunctions, an
// exponent. Networks and properties of practice stay far below these limits; what does not is refused with a message
// before memory or time is spent on it. Where a large amount is plausible, it is so only for a large file, and the
// limit is a free amount plus one per byte of the file. tests/error/corpus has a file that meets each of them.

#include <cstddef>
#include <cstdint>

namespace boundflow {

// free + per_byte * bytes of the file, decompressed.
struct FileLimit {
  double free = 0;
  double per_byte = 0;
  double of(std::size_t bytes) const { return free + per_byte * static_cast<double>(bytes); }
};

// ----- files
// What protobuf takes at most; a device may have no end.
inline constexpr std::size_t kMaxFileBytes = std::size_t{1} << 31;
// Networks and properties compress by less than 20; deflate can do 1030.
inline constexpr std::size_t kMaxDecompressedBytes = std::size_t{1} << 30;
inline constexpr FileLimit kMaxInflation{4e6, 100};  // bytes, per compressed byte
// Arrays of zeros are common, and compress as well as deflate can.
inline constexpr FileLimit kMaxArchiveInflation{64e6, 100};

// ----- networks
// Shapes of practice have up to six dimensions.
inline constexpr std::size_t kMaxRank = 32;
// Elements of one tensor, far from overflow in index arithmetic; and what any file may ask for.
inline constexpr std::int64_t kMaxElements = std::int64_t{1} << 40;
inline constexpr std::int64_t kMaxComputedElements = std::int64_t{1} << 28;
// Numbers that the lowering of one node may write out, in a network of any size: 512 MB.
inline constexpr std::int64_t kMaxStoredNumbers = std::int64_t{1} << 26;
// Elements of all tensors that a network computes, those that fold included. A convolutional layer has as many weights
// as it has outputs in a few pixels: with 64 channels on an image of 512 x 512 it computes 114 elements per byte.
inline constexpr FileLimit kElements{4e6, 128};
// Weights and terms that lowering writes out beyond the file's own: windows of poolings, weights repeated for a batch.
inline constexpr FileLimit kStoredNumbers{4e6, 128};
// Products and comparisons in one execution. VGG16 has 1.5e10 in a file of 5e8 bytes; each weight of a convolution
// takes part in as many as there are pixels.
inline constexpr FileLimit kProducts{1e9, 1 << 16};
// Padding, images and kernels on one axis; strides and dilations, for each of which kernels keep tables.
inline constexpr std::int64_t kMaxPad = std::int64_t{1} << 24;
inline constexpr std::int64_t kMaxWindowExtent = std::int64_t{1} << 24;
inline constexpr std::int64_t kMaxStride = 4096;
inline constexpr std::int64_t kMaxTapsOnAxis = std::int64_t{1} << 22;

// ----- properties
// Levels of parentheses: the parser is recursive.
inline constexpr int kMaxNesting = 1000;
// A double has up to 767 digits and exponents within +-324; a rational of two such numbers some 8,000 bits. Sums and
// products of rationals look for common factors, which takes more than linear time.
inline constexpr std::int64_t kMaxExponent = 2'000;
inline constexpr std::size_t kMaxDigits = 2'000;
inline constexpr std::size_t kMaxRationalBits = std::size_t{1} << 15;
// Bits of all results of sums and products: a constant in front of a sum multiplies each of its terms. Where nothing is
// nested they are some 20 per byte.
inline constexpr FileLimit kArithmeticBits{5e8, 256};
// Boxes that disjunctions over inputs split into. The largest known property has 60,000, each written out.
inline constexpr std::size_t kMaxRegions = 1'000'000;
inline constexpr FileLimit kRegions{2e4, 0.05};
// Bytes of all boxes and clauses, which repeat what they have in common.
inline constexpr FileLimit kRegionBytes{64e6, 64};
inline constexpr FileLimit kClauseBytes{64e6, 64};
// Conditions that are looked at while disjunctions over inputs are combined: below a second. A file without products
// of disjunctions looks at each of its conditions twice, and takes at least ten bytes to write one.
inline constexpr FileLimit kVisits{1e7, 1};

}  // namespace boundflow
