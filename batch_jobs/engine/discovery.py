"""Finding what the files of a folder define, so that a new file is all that a new job or projection takes."""

import importlib
import inspect
import pkgutil
from collections.abc import Iterator
from types import ModuleType
from typing import Any


def instances(package: ModuleType, base: Any) -> Iterator[Any]:
    """One instance of every concrete class under `base` that a module of the package itself defines, by module name."""
    for module_info in sorted(pkgutil.iter_modules(package.__path__), key=lambda info: info.name):
        module = importlib.import_module(f"{package.__name__}.{module_info.name}")
        for _, member in inspect.getmembers(module, inspect.isclass):
            if issubclass(member, base) and member.__module__ == module.__name__ and not inspect.isabstract(member):
                yield member()
