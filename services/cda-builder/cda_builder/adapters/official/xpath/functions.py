"""The functions of XPath that rules call, as Python source."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from cda_builder.adapters.official.xpath.scope import NODES, Scope, is_constant, kind_of
from cda_builder.adapters.official.xpath.syntax import Call, ContextItem, Expression, Literal, NotTranslatable
from cda_builder.adapters.official.xpath.texts import pattern

if TYPE_CHECKING:
    from cda_builder.adapters.official.xpath.translate import Translator

_HERE = ContextItem()
_Texts = Callable[..., str]
_TEXT_TESTS: dict[str, _Texts] = {
    "contains": lambda text, part: f"({part} in {text})",
    "starts-with": lambda text, part: f"{text}.startswith({part})",
    "ends-with": lambda text, part: f"{text}.endswith({part})",
}
_TEXTS: dict[str, _Texts] = {
    "concat": lambda *parts: f"({' + '.join(parts)})",
    "substring-before": lambda text, mark: f"before({text}, {mark})",
    "substring-after": lambda text, mark: f"after({text}, {mark})",
    "upper-case": lambda text: f"{text}.upper()",
    "lower-case": lambda text: f"{text}.lower()",
    "translate": lambda text, old, new: f"translated({text}, {old}, {new})",
    "iri-to-uri": lambda text: f"as_uri({text})",
}


def truth(t: "Translator", call: Call, scope: Scope) -> str:
    """Return source of a boolean function."""
    name, arguments = call.name, call.arguments
    if name in _TEXT_TESTS and len(arguments) == 2:
        return _TEXT_TESTS[name](*(t.text(each, scope) for each in arguments))
    match name, arguments:
        case "not", (one,):
            return f"(not {t.truth(one, scope)})"
        case "boolean", (one,):
            return t.truth(one, scope)
        case (("true" | "false"), ()):
            return name.capitalize()
        case (("empty" | "exists"), (one,)):
            found = t.paths.exists(one, scope) if kind_of(one, scope) == NODES else t.items(one, scope)
            return f"(not {found})" if name == "empty" else found
        case "matches", (text, expression, *flags):
            return f"{_compiled(t, expression, flags, scope)}({t.text(text, scope)})"
        case "doc-available", (uri,):
            return f"{t.constants.library}.has({t.text(uri, scope)})"
    raise NotTranslatable(f"function {name} with {len(arguments)} arguments")


def one(t: "Translator", call: Call, scope: Scope) -> str:
    """Return source of a function that always has one value, a text or a number."""
    name, arguments = call.name, call.arguments
    if name in _TEXTS:
        return _TEXTS[name](*(t.text(each, scope) for each in arguments))
    match name, arguments:
        case (("string" | "xs:string" | "normalize-space" | "string-length"), _) if len(arguments) < 2:
            text = t.text(arguments[0] if arguments else _HERE, scope)
            return {"normalize-space": f"normalized({text})", "string-length": f"len({text})"}.get(name, text)
        case "number", _ if len(arguments) < 2:
            return f"number(atom(one_or_none({t.items(arguments[0] if arguments else _HERE, scope)})))"
        case "count", (items,):
            return t.paths.count(items, scope)
        case "substring", (text, *places):
            numbers = ", ".join(_number(t, each, scope) for each in places)
            return _sliced(t.text(text, scope), places) or f"substring({t.text(text, scope)}, {numbers})"
        case "string-join", (items, mark):
            return f"{t.text(mark, scope)}.join(map(written, {t.atoms(items, scope)}))"
        case "replace", (text, expression, by):
            return f"replaced({t.text(text, scope)}, {t.text(expression, scope)}, {t.text(by, scope)})"
        case (("name" | "local-name" | "namespace-uri"), _) if len(arguments) < 2:
            return _named(t, name, arguments, scope)
        case (("local-name-from-QName" | "namespace-uri-from-QName"), (items,)):
            return f"part_of({t.items(items, scope)}, {int(name.startswith('local'))})"
    raise NotTranslatable(f"function {name} with {len(arguments)} arguments")


def items(t: "Translator", call: Call, scope: Scope) -> str:
    """Return source of a function that has a list of values."""
    match call.name, call.arguments:
        case "distinct-values", (values,):
            return f"distinct({t.atoms(values, scope)})"
        case "data", (values,):
            return t.atoms(values, scope)
        case "tokenize", (text, expression):
            return f"tokens({t.text(text, scope)}, {t.text(expression, scope)})"
        case (("doc" | "document"), (uri,)):
            return f"{t.constants.library}.documents({t.text(uri, scope)})"
        case "resolve-QName", (lexical, element) if element == _HERE:
            return f"resolved({t.items(lexical, scope)}, {scope.node()})"
        case "QName", (Literal(uri), Literal(local)):
            return f"[({uri!r}, {str(local).rpartition(':')[2]!r})]"
        case "xs:dateTime", (text,):
            return f"[moment(each) for each in {t.atoms(text, scope)}]"
    raise NotTranslatable(f"function {call.name} with {len(call.arguments)} arguments")


def _compiled(t: "Translator", expression: Expression, flags: list[Expression], scope: Scope) -> str:
    """Return source of a function from text to whether it fits, compiled where the expression is constant."""
    texts = [scope.literal(each) for each in (expression, *flags)]
    if None not in texts:
        return t.constants.keep(pattern(*map(str, texts)).search)
    arguments = ", ".join(t.text(each, scope) for each in (expression, *flags))
    return f"pattern({arguments}).search"


def _number(t: "Translator", expression: Expression, scope: Scope) -> str:
    return repr(expression.value) if isinstance(expression, Literal) else t.number(expression, scope)


def _sliced(text: str, places: list[Expression]) -> str:
    """Return a slice, where the places are whole numbers written in the rule."""
    numbers = [each.value for each in places if isinstance(each, Literal) and isinstance(each.value, int)]
    if len(numbers) != len(places) or numbers[0] < 1:
        return ""
    return f"{text}[{numbers[0] - 1}:{numbers[0] - 1 + numbers[1] if len(numbers) > 1 else ''}]"


def _named(t: "Translator", name: str, arguments: tuple[Expression, ...], scope: Scope) -> str:
    field = {"name": "qname", "local-name": "local", "namespace-uri": "uri"}[name]
    if not arguments or arguments[0] == _HERE:
        return f"{scope.node()}.{field}"
    if kind_of(arguments[0], scope) != NODES or is_constant(arguments[0], scope):
        raise NotTranslatable("the name of a value")
    return f"name_of({t.items(arguments[0], scope)}, {field!r})"
