#!/usr/bin/env python3
"""Writes sdk/include/vissl/generated/{tensor_methods,operators}.inc from sdk/operators.txt.

operators.txt holds one ATen schema per line, as torch prints it; it is the one table from which the C++ layer's functions
and methods, and the list of operators that are guaranteed for the life of the ABI major, are made.
Run without arguments after editing the table; `--check` only compares.
"""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
OUT = ROOT / "sdk/include/vissl/generated"
OPTIONS = ("dtype", "layout", "device", "pin_memory")


def split_arguments(text):
    depth, start, parts = 0, 0, []
    for i, c in enumerate(text):
        depth += c in "([" and 1 or (c in ")]" and -1 or 0)
        if c == "," and depth == 0:
            parts.append(text[start:i].strip())
            start = i + 1
    return [p for p in parts + [text[start:].strip()] if p]


def parse(line):
    m = re.fullmatch(r"aten::(\w+)(?:\.(\w+))?\((.*)\) -> (.*)", line)
    name, overload, arguments, result = m.groups()
    parsed = []
    for a in split_arguments(arguments):
        if a == "*":
            continue
        kind, rest = re.match(r"((?:\w+)(?:\([^)]*\))?(?:\[\d*\])?\??(?:\[\])?\??) (.*)", a).groups()
        kind = re.sub(r"\([^)]*\)", "", kind).replace("SymInt", "int")
        kind = re.sub(r"\[\d+\]", "[]", kind)
        arg, _, default = rest.partition("=")
        parsed.append((kind, {"from": "low", "self": "self", "side": "side"}.get(arg, arg), default or None))
    return name, overload or "", parsed, result


CPP = {
    "Tensor": "const Tensor&", "Tensor?": "const Tensor&", "Tensor[]": "Tensors", "Tensor?[]": "Tensors",
    "int": "std::int64_t", "int?": "std::optional<std::int64_t>", "int[]": "Ints", "int[]?": "Ints",
    "float": "double", "float?": "std::optional<double>", "float[]?": "Doubles", "Scalar[]": "Doubles",
    "bool": "bool", "bool?": "std::optional<bool>", "Scalar": "Scalar", "Scalar?": "std::optional<Scalar>",
    "ScalarType": "Dtype", "ScalarType?": "std::optional<Dtype>", "str": "std::string_view",
    "str?": "std::optional<std::string_view>", "MemoryFormat": "MemoryFormat", "MemoryFormat?": "std::optional<MemoryFormat>",
    "Generator?": "Generator",
}


def default_of(kind, text):
    if text is None:
        return ""
    if kind == "Tensor?":
        return " = Tensor()"
    if kind == "Generator?":
        return " = Generator()"
    if text == "None":
        return " = std::nullopt"
    if kind in ("int[]", "int[]?"):
        return " = Ints(%s)" % ("{" + text[1:-1] + "}" if text.startswith("[") else text)
    if kind in ("ScalarType", "ScalarType?"):
        return " = Dtype::i64" if text == "4" else sys.exit("dtype default " + text)
    if kind == "MemoryFormat":
        return " = MemoryFormat::contiguous"
    if kind == "bool":
        return " = " + text.lower()
    if kind == "float":
        return " = " + {"1.0000000000000001e-05": "1e-5", "0.": "0.0", "1.": "1.0"}.get(text, text)
    return " = " + text


def result_of(text):
    if text == "()":
        return "void"
    if text.startswith("("):
        return "std::tuple<%s>" % ", ".join(["Tensor"] * len(split_arguments(text[1:-1])))
    if text.endswith("[]"):
        return "std::vector<Tensor>"
    return {"bool": "bool", "int": "std::int64_t"}.get(text, "Tensor")


def emit(line):
    name, overload, arguments, result = parse(line)
    inplace = name.endswith("_") and not name.startswith("_")
    parameters, passed = [], []
    for kind, arg, default in arguments:
        if arg in OPTIONS and kind.endswith("?") and any(a[1] == "layout" for a in arguments):
            if arg == "dtype":
                fixed = "" if default != "4" else "Options(Dtype::i64)"
                parameters.append(("Options", "options", " = " + (fixed or "Options()")))
                passed += ["detail::arg(options.dtype)", "detail::none()", "detail::arg(options.device)", "detail::none()"]
            continue
        parameters.append((CPP[kind], arg, default_of(kind, default)))
        passed.append("detail::arg(%s)" % arg)
    is_method = arguments[0][1] == "self" and arguments[0][0] == "Tensor"
    cpp_result = "const Tensor&" if inplace else result_of(result)
    call = {
        "void": "op.run({{{args}}})", "bool": "return op.boolean({{{args}}})", "std::int64_t": "return op.integer({{{args}}})",
        "Tensor": "return op.tensor({{{args}}})", "std::vector<Tensor>": "return op.tensors({{{args}}})",
    }.get(cpp_result)
    if inplace:
        call = "op.run({{{args}}}); return *this"
    elif cpp_result.startswith("std::tuple"):
        call = "return op.tuple<%d>({{{args}}})" % cpp_result.count("Tensor")
    signature = lambda ps, d: ", ".join("%s %s%s" % (t, n, v if d else "") for t, n, v in ps)
    find = 'static const Op op("aten::%s", "%s");' % (name, overload)
    declared = defined = ""
    if is_method:
        rest = parameters[1:]
        declared = "  %s %s(%s) const;\n" % (cpp_result, name, signature(rest, True))
        body = call.format(args=", ".join(["detail::arg(*this)"] + passed[1:]))
        defined += "inline %s Tensor::%s(%s) const { %s %s; }\n" % (cpp_result, name, signature(rest, False), find, body)
    if not inplace:
        if is_method:
            body = ("return " if cpp_result != "void" else "") + "self.%s(%s)" % (
                name, ", ".join(n for _, n, _ in parameters[1:]))
            find = ""
        else:
            body = call.format(args=", ".join(passed))
        defined += "inline %s %s(%s) { %s %s; }\n" % (cpp_result, name, signature(parameters, True), find, body)
    return declared, defined


def main():
    lines = [l for l in (ROOT / "sdk/operators.txt").read_text().splitlines() if l]
    pairs = [emit(l) for l in lines]
    note = "// Made by scripts/generate_ops.py from sdk/operators.txt; edit those. ATen's names and argument order.\n"
    files = {
        "tensor_methods.inc": note + "".join(d for d, _ in pairs),
        "operators.inc": note + "".join(d for _, d in pairs),
    }
    OUT.mkdir(exist_ok=True)
    stale = [n for n, text in files.items() if not (OUT / n).exists() or (OUT / n).read_text() != text]
    if "--check" in sys.argv:
        sys.exit("stale, run scripts/generate_ops.py: " + ", ".join(stale) if stale else 0)
    for n in stale:
        (OUT / n).write_text(files[n])


main()
