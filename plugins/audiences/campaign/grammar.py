"""The models as a grammar: which keys are allowed at a place of a file, and where else a key would belong."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import accumulate
from operator import and_
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

from pydantic import BaseModel

from audiences.campaign.wording import Path

_DEEPEST = 4  # levels below the root at which a misplaced key is looked for


@dataclass(frozen=True, slots=True)
class Spot:
    """What a location in a validation error means: the path in the file, the value there, and the keys allowed.

    `siblings` are the keys that are allowed next to the last one of the location, `keys` those inside the value. `number` is
    the kind of number that may stand there in place of keys.
    """

    path: Path
    value: Any
    siblings: tuple[str, ...]
    keys: tuple[str, ...]
    number: Literal["integer", "number"] | None = None


def keys_of(model: type[BaseModel]) -> dict[str, Any]:
    """The keys of a model as the file writes them, with the annotation of their values."""
    return {field.alias or name: field.annotation for name, field in model.model_fields.items()}


def locate(root: type[BaseModel], location: tuple[str | int, ...], data: Any) -> Spot:
    """Follow a validation error's location through the data.

    Steps that the file does not have are skipped: labels of a union's branches, and the keys and positions of the
    long form where the author wrote the short one.
    """
    annotation: Any = root
    path: Path = ()
    around: Any = None
    for step in location:
        inner = _step(annotation, step)
        if inner is None and not _has_keys(annotation):
            continue  # a union's branch
        around, annotation = annotation, inner
        if isinstance(data, list | dict) and _holds(data, step):
            path, data = (*path, step), data[step]  # type: ignore[index]  # `_holds` says that the step fits
    return Spot(path, data, _keys(around), _keys(annotation), _number(annotation))


def home_of(root: type[BaseModel], key: str, path: Path) -> str | None:
    """Where a key that is unknown at `path` would be allowed: the place closest to it, dotted, None if nowhere."""
    homes = [home for home in _homes(root).get(key, ()) if home]

    def distance(home: tuple[str, ...]) -> tuple[int, int]:
        same = (ours == theirs for ours, theirs in zip(home, path, strict=False))
        return -sum(accumulate(same, and_)), len(home)

    closest = min(homes, key=distance, default=())
    return ".".join(closest) or None


@cache
def _homes(root: type[BaseModel]) -> dict[str, list[tuple[str, ...]]]:
    homes: dict[str, list[tuple[str, ...]]] = {}
    waiting: list[tuple[tuple[str, ...], type[BaseModel]]] = [((), root)]
    seen = set()
    for where, model in waiting:  # grows while it is walked, breadth first
        for key, annotation in keys_of(model).items():
            homes.setdefault(key, []).append(where)
            for inner in _models(annotation, containers=True):
                if (key, inner) not in seen and len(where) < _DEEPEST:
                    seen.add((key, inner))
                    waiting.append(((*where, key), inner))
    return homes


def _step(annotation: Any, step: str | int) -> Any:
    """The annotation one step further in, None where there is no such step."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _step(arguments[0], step)
    if origin in (Union, UnionType):
        return next((found for each in arguments if (found := _step(each, step)) is not None), None)
    if origin is tuple and isinstance(step, int):
        return arguments[0] if arguments[-1] is Ellipsis else arguments[min(step, len(arguments) - 1)]
    if origin is dict:
        return arguments[1]
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        extra = _extra(annotation)
        return keys_of(annotation).get(str(step), extra)
    return None


def _extra(model: type[BaseModel]) -> Any:
    """The annotation of keys that are not fields, None where the model allows none."""
    if model.model_config.get("extra") != "allow":
        return None
    return get_args(get_type_hints(model)["__pydantic_extra__"])[1]


def _holds(data: list[Any] | dict[str, Any], step: str | int) -> bool:
    if isinstance(data, dict):
        return step in data
    return isinstance(step, int) and step < len(data)


def _keys(annotation: Any) -> tuple[str, ...]:
    return tuple(key for model in _models(annotation) for key in keys_of(model))


def _number(annotation: Any) -> Literal["integer", "number"] | None:
    """The kind of number that is the short form of a model that the annotation names."""
    forms = [getattr(model, "short_form", None) or {} for model in _models(annotation)]
    kinds: tuple[Literal["integer", "number"], ...] = ("integer", "number")
    return next((kind for kind in kinds for form in forms if form.get("type") == kind), None)


def _has_keys(annotation: Any) -> bool:
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin in (Annotated, Union, UnionType):
        return any(_has_keys(each) for each in arguments)
    return origin in (tuple, dict) or (isinstance(annotation, type) and issubclass(annotation, BaseModel))


def _models(annotation: Any, *, containers: bool = False) -> Iterator[type[BaseModel]]:
    """The models that an annotation names, through unions, and through lists and mappings if asked for."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    elif containers or get_origin(annotation) in (Annotated, Union, UnionType):
        for each in get_args(annotation):
            yield from _models(each, containers=containers)
