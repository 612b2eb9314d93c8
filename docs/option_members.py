#!/usr/bin/env python3
"""For Doxygen: include/boundflow/options.hpp with the members of Options written out, each documented by its help.

Usage: option_members.py options.hpp
"""

import re
import sys
from pathlib import Path

text = Path(sys.argv[1]).read_text(encoding="utf-8")
OPTION = re.compile(r'OPTION\(([\w:]+),\s+(\w+),\s+"(--[\w-]+)",\s+(.*?),\s*\\\s*"([^"]*)"\)')
options = OPTION.findall(text)
if len(options) != len(re.findall(r"^  OPTION\(", text, re.M)):
    sys.exit(f"option_members: a line of the table in {sys.argv[1]} has another form")
members = [f"  {kind} {name} = {otherwise};  ///< {help}. On the command line `{flag}`.\n"
           for kind, name, flag, otherwise, help in options]
expanded = re.compile(r"(?<=struct Options \{\n).*?(?=\};)", re.S)
print(expanded.sub(lambda _: "".join(members), text), end="")
