#!/usr/bin/env python3
"""Writes tests/golden/regex_errors.json: what Python's re says of patterns and replacements that it refuses.

The words are those of Python 3.11; later releases changed some. Rules of [model.weights_init] are refused in them.
"""
import json
import pathlib
import re
import sys
import warnings

OUT = pathlib.Path(__file__).resolve().parents[2] / "tests/golden/regex_errors.json"

PATTERNS = [
    "*a", "a**", "a|*", "(*a)", "^*", r"\Z*", "a{2}{3}", "a+++", "a{3,2}", "é**", "ab\\", "[a\\", r"\q", r"[\q]",
    r"\8", r"[\8]", r"(a)\2", r"(a\1)", r"\400", r"[\400]", r"\x1", r"\u12", r"\U0011", r"\U00110000", "[ab", "[]",
    "[^]", "(a", "((a", "(?:a", "(?i:a", "a)", "é)", "(?#abc", "(?", "(?P", "(?<", "(?<a)", "(?<é)", "(?Pa)", "(?P>a)",
    "(?R)", "(?1)", "(?&a)", "(?|a)", "(?P<a", "(?P<", "(?P<>b)", "(?P<1a>b)", "(?P<a-b>c)", "(?P<a>b)(?P<a>c)",
    "(?P=a)", "(?P=a", "(?P=1)", "(?P<a>b(?P=a))", "(?(0)a)", "(?(00)a)", "(?(1a)a)", "(?(b)a)", "(?(2)a)", "(?(1", "(?(",
    "(?()a)", "(a)(?(1)b|c|d)", "a(?i)", "((?i)a)", "(?z)", "(?iz)", "(?i", "(?i!)", "(?L)", "(?i-)", "(?i-", "(?-:a)",
    "(?i-z:a)", "(?i-mz:a)", "(?-i)", "(?-i", "(?i-i:a)", "(?i-L:a)", "(?i-mu:a)",
]  # fmt: skip
REPLACEMENTS = [
    "a\\", r"\q", r"a\Q", r"\777", r"\g", r"\g a", r"\g<", r"\g<>", r"\g<a", r"\g<1a>", r"\g<-1>", r"é\g<a b>",
]  # fmt: skip


def refusal(call):
    try:
        call()
    except re.error as error:
        return str(error)
    raise SystemExit("Python takes what should be refused")


def main():
    if sys.version_info[:2] != (3, 11):
        raise SystemExit("the words of Python 3.11 are wanted")
    warnings.simplefilter("ignore")
    found = {
        "patterns": {text: refusal(lambda: re.compile(text)) for text in PATTERNS},
        "replacements": {text: refusal(lambda: re.sub("(a)", text, "a")) for text in REPLACEMENTS},
    }
    OUT.write_text(json.dumps(found, indent=1) + "\n")


main()
