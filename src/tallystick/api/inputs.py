"""How request bodies are read: pydantic models whose failures become the contract's field codes (api.md §3.1, §4).

Unknown keys and wrong-shaped values are dropped, as the contract wants (api.md §1); nothing here knows a resource.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from enum import Enum
from functools import lru_cache
from typing import Annotated, Any, TypeVar
from zoneinfo import available_timezones

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, ValidationError, model_validator
from pydantic_core import PydanticCustomError

from tallystick.core.money import CURRENCIES
from tallystick.ground.errors import Problems


class Shape(Enum):
    """What a field takes; a value of another shape is dropped as if absent."""

    SCALAR = "scalar"
    ARRAY = "array"
    OBJECT = "object"
    ANY = "any"


def refuse(code: str) -> PydanticCustomError:
    """An error whose type is a field code of the contract."""
    return PydanticCustomError("code", "{code}", {"code": code})


def _fits(shape: Shape, value: Any) -> bool:
    if value is None or shape is Shape.ANY:
        return True
    if shape is Shape.ARRAY:
        return isinstance(value, list)
    if shape is Shape.OBJECT:
        return isinstance(value, dict)
    return not isinstance(value, list | dict)


class Input(BaseModel):
    """Base of all inputs: unknown keys ignored, wrong shapes dropped, absent and null told apart by `given`."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    @model_validator(mode="before")
    @classmethod
    def _drop_wrong_shapes(cls, raw: Any) -> Any:
        if not isinstance(raw, Mapping):
            return {}
        kept = {}
        for name, field in cls.model_fields.items():
            key = field.alias or name
            if key not in raw:
                continue
            shape = next((item for item in field.metadata if isinstance(item, Shape)), Shape.SCALAR)
            if _fits(shape, raw[key]):
                kept[key] = raw[key]
        return kept

    def given(self) -> dict[str, Any]:
        """The fields that the caller sent, nulls included."""
        return {name: getattr(self, name) for name in self.model_fields_set}


Model = TypeVar("Model", bound=Input)


def read(model: type[Model], raw: Mapping[str, Any], *, drop_nulls: bool = False) -> Model:
    """Validate; raises `Invalid` naming every field. `drop_nulls`: null means absent (creates, api.md §4)."""
    source = {key: value for key, value in raw.items() if value is not None} if drop_nulls else raw
    try:
        return model.model_validate(source)
    except ValidationError as error:
        problems = Problems()
        for item in error.errors():
            names = [part for part in item["loc"] if isinstance(part, str)]
            problems.add(names[-1] if names else "base", code_of(item["type"], item.get("ctx")))
        problems.raise_if_any()
        raise


_CODES = {
    "missing": "value_is_mandatory",
    "greater_than": "value_is_out_of_range",
    "greater_than_equal": "value_is_out_of_range",
    "less_than": "value_is_out_of_range",
    "less_than_equal": "value_is_out_of_range",
    "string_too_long": "value_is_too_long",
    "too_long": "value_is_too_long",
}


def code_of(kind: str, context: Mapping[str, Any] | None) -> str:
    """The field code of one pydantic error."""
    if kind == "code" and context:
        return str(context["code"])
    return _CODES.get(kind, "value_is_invalid")


# -- the field types ------------------------------------------------------------------------------


def _text(value: Any) -> Any:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, int | Decimal) else value


def _required_text(value: Any) -> Any:
    text = _text(value)
    if text is None or (isinstance(text, str) and not text.strip()):
        raise refuse("value_is_mandatory")
    return text


def _blank_to_none(value: Any) -> Any:
    text = _text(value)
    return None if isinstance(text, str) and not text.strip() else text


_FALSE = {"false", "f", "0", "off", "no", "n"}


def _flag(value: Any) -> Any:
    if isinstance(value, bool) or value is None:
        return value
    text = str(value).strip().lower()
    return None if text == "" else text not in _FALSE


_WHOLE = re.compile(r"[+-]?\d{1,19}")
BIGINT = 2**63 - 1


def _whole(value: Any) -> Any:
    if value is None:
        return None
    if isinstance(value, str):
        if not value.strip():
            return None
        if not _WHOLE.fullmatch(value.strip()):
            raise refuse("value_is_invalid")
        value = int(value)
    if isinstance(value, bool) or (isinstance(value, Decimal) and value != value.to_integral_value()):
        raise refuse("value_is_invalid")
    if abs(value) > BIGINT:
        raise refuse("value_is_out_of_range")
    return int(value)


def _small_whole(value: Any) -> Any:
    number = _whole(value)
    if number is not None and abs(number) > 2**31 - 1:
        raise refuse("value_is_out_of_range")
    return number


def read_number(value: Any) -> Decimal | None:
    """A number as a field of type `Number` takes it; None when it is not one."""
    try:
        number: Decimal | None = _number(value)
    except PydanticCustomError:
        return None
    return number


def _number(value: Any) -> Any:
    if value is None or (isinstance(value, str) and not value.strip()):
        return None
    try:
        number = Decimal(str(value)) if not isinstance(value, bool) else None
    except InvalidOperation:
        number = None
    if number is None or not number.is_finite():
        raise refuse("value_is_invalid")
    if number.adjusted() > 20 or number.adjusted() < -20:
        raise refuse("value_is_out_of_range") if number else refuse("value_is_invalid")
    return number


@lru_cache
def _countries() -> frozenset[str]:
    import pycountry

    return frozenset(country.alpha_2 for country in pycountry.countries)


def _country(value: Any) -> Any:
    text = _blank_to_none(value)
    if text is None:
        return None
    code = str(text).strip().upper()
    if code not in _countries():
        raise refuse("not_a_valid_country_code")
    return code


def _currency(value: Any) -> Any:
    text = _blank_to_none(value)
    if text is None:
        return None
    code = str(text).strip().upper()
    if code not in CURRENCIES:
        raise refuse("value_is_invalid")
    return code


@lru_cache
def _zones() -> frozenset[str]:
    return frozenset(available_timezones())


def _timezone(value: Any) -> Any:
    text = _blank_to_none(value)
    if text is not None and text not in _zones():
        raise refuse("invalid_timezone")
    return text


LOCALES = frozenset({"en", "fr", "de", "es", "it", "nb", "pt-BR", "sv", "zh-TW"})


def _locale(value: Any) -> Any:
    text = _blank_to_none(value)
    if text is not None and text not in LOCALES:
        raise refuse("not_a_valid_language_code")
    return text


_EMAIL = re.compile(r"[^@\s,]+@[^@\s,]+\.[^@\s,.]+")


def is_email(text: str) -> bool:
    """Whether a text has the form of one address."""
    return _EMAIL.fullmatch(text) is not None


def _emails(value: Any) -> Any:
    text = _blank_to_none(value)
    if text is not None and not all(is_email(part.strip()) for part in str(text).split(",")):
        raise refuse("invalid_email_format")
    return text


def instant_or_none(value: Any) -> dt.datetime | None:
    """ISO 8601 text as an aware UTC instant (a date means 00:00 UTC); None when it is not one."""
    try:
        moment = dt.datetime.fromisoformat(str(value).strip())
        moment = moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC)
        moment = moment.astimezone(dt.UTC)
    except (ValueError, OverflowError):
        return None
    return moment if 1900 <= moment.year <= 9000 else None


def _instant(value: Any) -> Any:
    if value is None or (isinstance(value, str) and not value.strip()):
        return None
    moment = instant_or_none(value) if isinstance(value, str) else None
    if moment is None:
        raise refuse("invalid_date")
    return moment


Text = Annotated[str | None, BeforeValidator(_text), Shape.SCALAR]
Label = Annotated[str | None, BeforeValidator(_blank_to_none), Shape.SCALAR]
RequiredText = Annotated[str, BeforeValidator(_required_text), Shape.SCALAR]
Flag = Annotated[bool | None, BeforeValidator(_flag), Shape.SCALAR]
Whole = Annotated[int | None, BeforeValidator(_whole), Shape.SCALAR]
SmallWhole = Annotated[int | None, BeforeValidator(_small_whole), Shape.SCALAR]
Number = Annotated[Decimal | None, BeforeValidator(_number), Shape.SCALAR]
Country = Annotated[str | None, BeforeValidator(_country), Shape.SCALAR]
Currency = Annotated[str | None, BeforeValidator(_currency), Shape.SCALAR]
Timezone = Annotated[str | None, BeforeValidator(_timezone), Shape.SCALAR]
Locale = Annotated[str | None, BeforeValidator(_locale), Shape.SCALAR]
Emails = Annotated[str | None, BeforeValidator(_emails), Shape.SCALAR]
Moment = Annotated[dt.datetime | None, BeforeValidator(_instant), Shape.SCALAR]
Codes = Annotated[list[RequiredText] | None, Shape.ARRAY]
Object = Annotated[dict[str, Any] | None, Shape.OBJECT]
Objects = Annotated[list[dict[str, Any]] | None, Shape.ARRAY]


def one_of(*allowed: str, code: str = "value_is_invalid") -> Any:
    """A validator for text out of a closed set; another value is refused with `code`."""

    def check(value: Any) -> Any:
        text = _blank_to_none(value)
        if text is not None and text not in allowed:
            raise refuse(code)
        return text

    return BeforeValidator(check)


def up_to(length: int) -> Any:
    """A validator of text or a list, null allowed: a longer one is refused (pydantic's own trips over the null)."""

    def check(value: Any) -> Any:
        if value is not None and len(value) > length:
            raise refuse("value_is_too_long")
        return value

    return AfterValidator(check)


#: characters; longer codes and ids of callers do not fit an index
MAX_CODE = 255
MAX_EXTERNAL_ID = 512
Code = Annotated[Label, up_to(MAX_CODE)]
ExternalId = Annotated[RequiredText, up_to(MAX_EXTERNAL_ID)]
