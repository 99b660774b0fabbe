"""What the tests of trainers' own code share."""

import ast
import importlib.util
import os
import sys
import types
import unittest
from importlib.metadata import distribution
from unittest import mock

from served import Served, starter

RIGHT = starter()
BROKEN = RIGHT + "\nint ;;; ="
PROMPT = ("<|im_start|>system\nYou write kernels.<|im_end|>\n<|im_start|>user\nBegin from this:\n```cpp\nint ;;; =\n```\n"
          "<|im_end|>\n<|im_start|>assistant\n")


def file_of(package, path):
    return str(distribution(package).locate_file(path))


def load(package, path, stand_ins):
    """The module at `path` of an installed package."""
    return load_file(file_of(package, path), stand_ins)


def load_file(file, stand_ins, name="own_client"):
    """The module in a file; a package of that name where the file is its __init__.py."""
    folders = [os.path.dirname(file)] if file.endswith("__init__.py") else None
    spec = importlib.util.spec_from_file_location(name, file, submodule_search_locations=folders)
    module = importlib.util.module_from_spec(spec)
    with mock.patch.dict(sys.modules, {**stand_ins, name: module}):
        spec.loader.exec_module(module)
    return module


def parsed(package, path):
    with open(file_of(package, path), encoding="utf-8") as file:
        return ast.parse(file.read())


def stand_in(name, **members):
    module = types.ModuleType(name)
    for key, value in members.items():
        setattr(module, key, value)
    return module


class OwnClient(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = Served()

    @classmethod
    def tearDownClass(cls):
        cls.server.end()
