#!/usr/bin/env python3
"""Writes sdk/tests/abi_offsets.h: the place of every field and the value of every constant of the C ABI.

sdk/tests/abi_offsets.c and abi_offsets_test.cpp compile it as C11 and as C++, so that a frozen header
can only grow. Run it after fields or constants were appended; the difference must hold new lines alone
(but for headers whose ids still end in "/0"). A C compiler (cc) computes the offsets. `--check` only compares, also with
sdk/tests/abi_frozen.txt, whose lines have to be there for ever.
"""
import pathlib
import re
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
HEADERS = ROOT / "sdk/include/vissl"
OUT = ROOT / "sdk/tests/abi_offsets.h"
FROZEN = ROOT / "sdk/tests/abi_frozen.txt"
FIXED = {"vissl_str", "vissl_arg", "vissl_array", "vissl_rng"}  # passed by value or without a size: cannot grow
SKIPPED = {"rng_mt19937.h", "rng_torch.h"}  # inline code that each side compiles for itself


def structs(text):
    text = re.sub(r"/\*.*?\*/", "", text, flags=re.S)
    for match in re.finditer(r"struct (vissl_\w+) \{(.*?)\n\}", text, flags=re.S):
        name, body = match.groups()
        body = re.sub(r"union \{.*?\} (\w+);", r"int \1;", body, flags=re.S)
        fields = []
        for statement in body.split(";"):
            statement = " ".join(statement.split())
            pointer = re.search(r"\(\*(\w+)\)\s*\(", statement)
            if pointer:
                fields.append(pointer.group(1))
            elif statement:
                fields += [re.search(r"(\w+)(?:\[\w+\])?$", part.strip()).group(1) for part in statement.split(",")]
        yield name, fields


def constants(text):
    for match in re.finditer(r"^#define (VISSL_\w+) \(?(0x[0-9a-f]+|\d+)u?\)?(?:\s|$)", text, flags=re.M):
        yield match.group(1)


def main():
    headers = sorted(h for h in HEADERS.glob("*.h") if h.name not in SKIPPED)
    found = {h.name: (list(structs(h.read_text())), list(constants(h.read_text()))) for h in headers}
    program = ["#include <stdio.h>"] + [f"#include <vissl/{name}>" for name in found] + ["int main(void) {"]
    for items, numbers in found.values():
        for struct, fields in items:
            for field in fields:
                program.append(f'printf("{struct}.{field} %zu\\n", offsetof({struct}, {field}));')
            program.append(f'printf("{struct} %zu\\n", sizeof({struct}));')
        for number in numbers:
            program.append(f'printf("{number} %llu\\n", (unsigned long long){number});')
    program.append("return 0; }")
    with tempfile.TemporaryDirectory() as folder:
        source, binary = pathlib.Path(folder, "offsets.c"), pathlib.Path(folder, "offsets")
        source.write_text("\n".join(program))
        subprocess.run(["cc", "-std=c11", f"-I{HEADERS.parent}", source, "-o", binary, "-lm"], check=True)
        values = dict(line.split() for line in subprocess.run([binary], check=True, capture_output=True, text=True).stdout.splitlines())

    lines = ["/* Made by scripts/abi_offsets.py: where the fields of the ABI's structs are, on the only data model that the ABI",
             " * has (LP64). Lines of a frozen header never change. */", ""]
    lines += [f"#include <vissl/{name}>" for name in found]
    for name, (items, numbers) in found.items():
        lines += ["", f"/* {name} */"]
        for struct, fields in items:
            lines += [f"ABI_FIELD({struct}, {field}, {values[f'{struct}.{field}']})" for field in fields]
            if struct in FIXED:
                lines.append(f"ABI_SIZE({struct}, {values[struct]})")
        for number in numbers:
            suffix = "u" if int(values[number]) >= 1 << 63 else ""
            lines.append(f"ABI_CONSTANT({number}, {values[number]}{suffix})")
    text = "\n".join(lines) + "\n"
    if sys.argv[1:] != ["--check"]:
        OUT.write_text(text)
        return 0
    if OUT.read_text() != text:
        print("stale, run scripts/abi_offsets.py: sdk/tests/abi_offsets.h")
        return 1
    lost = [line for line in FROZEN.read_text().splitlines() if line.startswith("ABI_") and line not in lines]
    for line in lost:
        print(f"frozen, but changed or gone: {line}")
    return 1 if lost else 0


sys.exit(main())
