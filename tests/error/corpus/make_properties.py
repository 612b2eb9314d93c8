"""Writes those broken properties and arrays of this folder that are long, compressed or binary.

Each function below makes one file, which has the function's name. The other files in vnnlib/ are short texts, written
by hand or found by fuzzers. Usage: make_properties.py [NAME...]; without names, all are written.
"""

import gzip
import struct
import sys
import zlib
from pathlib import Path

FOLDER = Path(__file__).resolve().parent
MAKERS = {}


def file(suffix: str):
    folder = "vnnlib" if suffix.startswith(".vnnlib") else "arrays"

    def register(make):
        MAKERS[f"{folder}/{make.__name__}{suffix}"] = make
        return make
    return register


def declarations(inputs: int = 2, outputs: int = 3) -> str:
    lines = [f"(declare-const X_{i} Real)" for i in range(inputs)] + [f"(declare-const Y_{i} Real)" for i in range(outputs)]
    return "\n".join(lines) + "\n"


def box(inputs: int = 2) -> str:
    return "".join(f"(assert (<= 0 X_{i} 1))\n" for i in range(inputs))


def good() -> str:
    """For partners/small.onnx: provable, as no output of a ReLU is negative."""
    return declarations() + box() + "(assert (<= Y_0 -1))\n"


def asserted(formula: str) -> str:
    return declarations() + box() + f"(assert {formula})\n"


# ----- files

@file(".vnnlib")
def empty():
    return ""


@file(".vnnlib")
def binary_junk():
    return bytes((7 * i * i + 13 * i + 5) % 256 for i in range(300))


@file(".vnnlib")
def zero_bytes():
    return bytes(1000)


@file(".vnnlib")
def byte_in_a_formula():
    return asserted("(<= Y_0 \u22121)").encode()  # a minus sign of typesetting


@file(".vnnlib.gz")
def truncated():
    return gzip.compress(good().encode(), mtime=0)[:50]


@file(".vnnlib.gz")
def bad_data():
    data = bytearray(gzip.compress(good().encode(), mtime=0))
    data[15] ^= 0xff
    return bytes(data)


@file(".vnnlib.gz")
def bomb():
    """10 kB that decompress to 10 MB of blanks."""
    return gzip.compress(b" " * 10_000_000, mtime=0)


@file(".vnnlib")
def truncated_in_a_number():
    return good()[:-5]


@file(".vnnlib")
def truncated_in_a_declaration():
    return good()[:17]


# ----- nesting and numbers

@file(".vnnlib")
def nested_and():
    return asserted("(and " * 1100 + "(<= Y_0 1)" + ")" * 1100)


@file(".vnnlib")
def nested_sum():
    return asserted("(<= " + "(+ 1 " * 1100 + "Y_0" + ")" * 1100 + " 1)")


@file(".vnnlib")
def nested_without_end():
    return asserted("(" * 3000)


@file(".vnnlib.gz")
def closed_without_end():
    """A million parentheses too many."""
    return gzip.compress((good() + ")" * 1_000_000).encode(), mtime=0)


@file(".vnnlib.gz")
def ignored_command_nested_deep():
    """What is ignored may be nested as deeply as it likes; that it is never closed is an error."""
    return gzip.compress(("(set-info :a " + "(" * 1_000_000).encode(), mtime=0)


@file(".vnnlib.gz")
def million_digits():
    return gzip.compress(asserted("(<= Y_0 " + "1234567890" * 100_000 + ")").encode(), mtime=0)


@file(".vnnlib.gz")
def million_decimals():
    return gzip.compress(asserted("(<= Y_0 0." + "1234567890" * 100_000 + ")").encode(), mtime=0)


@file(".vnnlib")
def product_of_huge_numbers():
    """Each factor has 2,000 digits, and products of decimals are exact."""
    return asserted("(<= (* Y_0 " + "1e2000 " * 500 + ") 1)")


@file(".vnnlib")
def quotient_of_huge_numbers():
    return asserted("(<= (/ Y_0 " + "3e1999 " * 500 + ") 1)")


@file(".vnnlib")
def nested_products_of_huge_numbers():
    return asserted("(<= " + "(* 7e-1999 " * 400 + "Y_0" + ")" * 400 + " 1)")


@file(".vnnlib")
def coefficients_without_a_common_denominator():
    """One variable in many terms, whose denominators share no factor: their sum grows with each."""
    terms = " ".join(f"(/ X_0 (+ 1e1999 {2 * i + 1}))" for i in range(80))
    return asserted(f"(<= (+ {terms}) Y_0)")


@file(".vnnlib.gz")
def factors_in_front_of_a_sum():
    """Long fractions, each of which is multiplied into each of a thousand terms; two of them cancel."""
    n = 1000
    total = "(+" + "".join(f" X_{i}" for i in range(n)) + ")"
    there, back = "(* (/ (+ 1e1999 3) (+ 1e1999 1)) ", "(* (/ (+ 1e1999 1) (+ 1e1999 3)) "
    product = (there + back) * 100 + total + ")" * 200
    return gzip.compress((declarations(n, 1) + box(n) + f"(assert (<= {product} Y_0))\n").encode(), mtime=0)


# ----- products of disjunctions

def disjunction(atoms) -> str:
    return "(or " + " ".join(atoms) + ")"


@file(".vnnlib")
def too_many_boxes():
    """2^24 boxes: 24 disjunctions of two bounds each."""
    n = 24
    halves = "".join(f"(assert (or (<= X_{i} 0.5) (>= X_{i} 0.5)))\n" for i in range(n))
    return declarations(n, 1) + box(n) + halves + "(assert (<= Y_0 -1))\n"


@file(".vnnlib")
def too_many_boxes_of_few_inputs():
    """Finer and finer: 40 bounds on each of four inputs."""
    n = 4
    cuts = "".join("(assert " + disjunction(f"(<= X_{i} 0.{k})" for k in range(10, 50)) + ")\n" for i in range(n))
    return declarations(n, 1) + box(n) + cuts + "(assert (<= Y_0 -1))\n"


@file(".vnnlib.gz")
def boxes_of_many_inputs():
    """2^12 boxes of 1000 inputs each."""
    n = 1000
    halves = "".join(f"(assert (or (<= X_{i} 0.5) (>= X_{i} 0.5)))\n" for i in range(12))
    return gzip.compress((declarations(n, 1) + box(n) + halves + "(assert (<= Y_0 -1))\n").encode(), mtime=0)


@file(".vnnlib")
def boxes_of_huge_numbers():
    """2^12 boxes of 24 inputs with bounds of 2,000 digits."""
    n = 24
    bounds = "".join(f"(assert (<= 1e-1999 X_{i} 1))\n" for i in range(n))
    halves = "".join(f"(assert (or (<= X_{i} 0.5) (>= X_{i} 0.5)))\n" for i in range(12))
    return declarations(n, 1) + bounds + halves + "(assert (<= Y_0 -1))\n"


@file(".vnnlib")
def boxes_times_long_atoms():
    """2^12 boxes, in each of which the same 40 conditions on 24 inputs hold."""
    n = 24
    total = " ".join(f"X_{i}" for i in range(n))
    halves = "".join(f"(assert (or (<= X_{i} 0.5) (>= X_{i} 0.5)))\n" for i in range(12))
    conditions = "".join(f"(assert (<= (+ Y_0 {total}) {k}))\n" for k in range(40))
    return declarations(n, 1) + box(n) + halves + conditions


@file(".vnnlib")
def boxes_times_clauses():
    """1000 boxes times 1000 disjuncts over outputs."""
    cuts = disjunction(f"(<= X_0 {k}e-4)" for k in range(1, 1000))
    clauses = disjunction(f"(<= Y_0 -{k})" for k in range(1, 1000))
    return declarations() + box() + f"(assert {cuts})\n(assert {clauses})\n"


@file(".vnnlib")
def combinations_without_a_box():
    """Each of 2^24 combinations is an empty box, which shows at the last condition only."""
    n = 24
    halves = "".join(f"(assert (or (<= X_{i} 0.5) (>= X_{i} 0.5)))\n" for i in range(n))
    return declarations(n, 1) + box(n) + halves + "(assert (or (<= X_0 -1) (>= X_0 2)))\n"


@file(".vnnlib")
def combinations_of_close_bounds():
    """Bounds that differ in the two-thousandth digit only: comparing two takes a product of long numbers."""
    close = ("(assert " + disjunction(f"(<= X_0 (+ 0.5 {10 * j + i}e-1999))" for i in range(6)) + ")\n"
             for j in reversed(range(10)))
    return declarations() + box() + "".join(close)


@file(".vnnlib")
def combinations_with_a_pinned_input():
    """Each of 4^21 combinations excludes the only value of X_0, which shows when all are combined."""
    return (declarations() + "(assert (= X_0 0))\n(assert (<= 0 X_1 9))\n" +
            ("(assert " + disjunction(["(< X_1 8)"] * 4) + ")\n") * 20 + "(assert (or (< X_0 0) (< X_0 0)))\n")


@file(".vnnlib")
def overlapping_boxes():
    """Thousands of boxes that differ in few bounds."""
    n = 15
    text = declarations(n, 1) + box(n)
    for i in range(n):
        for k in (2, 4):
            text += f"(assert (or (<= X_{i} 0.{k}) (and (<= X_{i} 0.{k + 1}) (>= X_{(i + 1) % n} 0.1))))\n"
    return text + "(assert (<= Y_0 -1))\n"


# ----- arrays

def npy(header: str, data: bytes = b"") -> bytes:
    padded = header + " " * (63 - (10 + len(header)) % 64) + "\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(padded)) + padded.encode() + data


def described(descr: str, shape: str, data: bytes = b"", order: str = "False") -> bytes:
    return npy(f"{{'descr': '{descr}', 'fortran_order': {order}, 'shape': {shape}, }}", data)


@file(".npy")
def empty_array():
    return b""


@file(".npy")
def not_an_array():
    return b"PK no, neither"


@file(".npy")
def header_truncated():
    return described("<f4", "(1, 2)", bytes(8))[:40]


@file(".npy")
def header_longer_than_the_file():
    return b"\x93NUMPY\x02\x00\xff\xff\xff\xff{'descr'"


@file(".npy")
def data_truncated():
    return described("<f4", "(1, 2)", bytes(7))


@file(".npy")
def data_too_long():
    return described("<f4", "(1, 2)", bytes(9))


@file(".npy")
def without_shape():
    return npy("{'descr': '<f4', 'fortran_order': False, }", bytes(8))


@file(".npy")
def absurd_shape():
    return described("<f4", "(1048576, 1048576, 1048576)")


@file(".npy")
def shape_of_1_tb_without_data():
    return described("<f8", "(131072, 1048576)")


@file(".npy")
def dimension_beyond_64_bits():
    return described("<f8", "(99999999999999999999999999,)")


@file(".npy")
def complex_numbers():
    return described("<c8", "(1, 2)", bytes(16))


@file(".npy")
def big_endian():
    return described(">f4", "(1, 2)", bytes(8))


@file(".npy")
def pickled_objects():
    return described("|O", "(2,)", b"\x80\x04]\x94.")


@file(".npy")
def wrong_count():
    return described("<f4", "(3,)", bytes(12))


@file(".npy")
def not_a_number():
    return described("<f4", "(1, 2)", struct.pack("<2f", float("nan"), 0.5))


def npz(data: bytes, stated: int | None = None, method: int = 8, cut: int | None = None) -> bytes:
    """An archive with one member, x.npy, which claims to have `stated` bytes."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    packed = packer.compress(data) + packer.flush() if method == 8 else data
    size = len(data) if stated is None else stated
    common = struct.pack("<HHHHHIIIHH", 20, 0, method, 0, 0x21, zlib.crc32(data), len(packed), size, 5, 0)
    local = b"PK\x03\x04" + common + b"x.npy" + packed
    entry = b"PK\x01\x02" + struct.pack("<H", 20) + common + struct.pack("<HHHII", 0, 0, 0, 0, 0) + b"x.npy"
    end = b"PK\x05\x06" + struct.pack("<HHHHIIH", 0, 0, 1, 1, len(entry), len(local), 0)
    return (local + entry + end)[:cut]


@file(".npz")
def archive_truncated():
    return npz(described("<f4", "(1, 2)", bytes(8)), cut=100)


@file(".npz")
def archive_claims_4_gb():
    return npz(described("<f4", "(1, 2)", bytes(8)), stated=0xfffffff0)


@file(".npz")
def archive_claims_900_mb():
    return npz(described("<f4", "(1, 2)", bytes(8)), stated=900_000_000)


@file(".npz")
def archive_claims_too_little():
    return npz(described("<f4", "(1, 2)", bytes(8)), stated=3)


@file(".npz")
def archive_of_unknown_method():
    return npz(described("<f4", "(1, 2)", bytes(8)), method=12)


@file(".npz")
def archive_bomb():
    """80 kB that decompress to 80 MB."""
    return npz(described("<f4", "(1, 20000000)", bytes(80_000_000)))


def main() -> None:
    for name, make in MAKERS.items():
        if len(sys.argv) > 1 and name not in sys.argv[1:]:
            continue
        made = make()
        (FOLDER / name).parent.mkdir(exist_ok=True)
        (FOLDER / name).write_bytes(made.encode() if isinstance(made, str) else made)
    (FOLDER / "partners" / "small.vnnlib").write_text(good())


if __name__ == "__main__":
    main()
