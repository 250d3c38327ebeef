"""How an object is made, as JSON: the name of what makes it, and its arguments. Nothing is pickled."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields, is_dataclass
from functools import partial
from importlib import import_module
from typing import Any, TypeAlias

Json: TypeAlias = Any
Made: TypeAlias = Any
PLAIN = (str, int, float, bool, type(None))


def recipe_of(maker: Callable[..., Made]) -> Json:
    """A class, or a `partial` of one, whose arguments are plain values, tuples or records of such.

    Raises:
        TypeError: it is made of something else.
    """
    if isinstance(maker, partial):
        arguments = [_written(each) for each in maker.args]
        return {"of": _name(maker.func), "arguments": arguments,
                "keywords": {key: _written(each) for key, each in maker.keywords.items()}}  # fmt: skip
    return {"of": _name(maker), "arguments": [], "keywords": {}}


def made_of(recipe: Json) -> Callable[..., Made]:
    """The maker again."""
    arguments = [_read(each) for each in recipe["arguments"]]
    return partial(_named(recipe["of"]), *arguments, **{key: _read(each) for key, each in recipe["keywords"].items()})


def modules_in(recipe: Json) -> set[str]:
    """Names of the modules that `made_of` imports from."""
    if isinstance(recipe, list):
        return set().union(*map(modules_in, recipe))
    if not isinstance(recipe, dict):
        return set()
    below = modules_in(recipe["arguments"]) | modules_in([*recipe["keywords"].values()])
    return {recipe["of"].partition(":")[0]} | below


def _written(value: Made) -> Json:
    if isinstance(value, PLAIN):
        return value
    if isinstance(value, tuple):
        return [_written(each) for each in value]
    if is_dataclass(value) and not isinstance(value, type):
        own = {each.name: _written(getattr(value, each.name)) for each in fields(value)}
        return {"of": _name(type(value)), "arguments": [], "keywords": own}
    raise TypeError(f"a {type(value).__name__} cannot be written as JSON")


def _read(written: Json) -> Made:
    if isinstance(written, list):
        return tuple(_read(each) for each in written)
    return made_of(written)() if isinstance(written, dict) else written


def _name(maker: Callable[..., Made]) -> str:
    return f"{maker.__module__}:{maker.__qualname__}"


def _named(name: str) -> Callable[..., Made]:
    module, _, own = name.partition(":")
    found: Callable[..., Made] = getattr(import_module(module), own)
    return found
