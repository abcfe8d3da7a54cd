"""A check of our own for schemathesis (SCHEMATHESIS_HOOKS): a refusal names what is wrong."""

from __future__ import annotations

import re

import schemathesis
from schemathesis import Case, CheckContext, Response

__all__ = ["refusal_names_what_is_wrong"]

REFUSED = {400, 422}


def wrong_part(case: Case) -> str | None:
    """What of the request was made wrong: a parameter, a field of the body, or the body."""
    data = case.meta.phase.data if case.meta is not None else None
    place = getattr(data, "parameter_location", None)
    scenario = str(getattr(data, "scenario", ""))
    if place is None or scenario in ("malformed_content_type", "unsupported_content_type"):
        return None
    if place.name == "BODY":
        text = f"{data.location}"
        missing = re.fullmatch(r"Missing required property: (\w+)", data.description or "")
        field = re.match(r"/properties/(\w+)/", text)
        return missing[1] if missing else field[1] if field else "body"
    return data.parameter if place.name in ("PATH", "QUERY") else None


@schemathesis.check
def refusal_names_what_is_wrong(ctx: CheckContext, response: Response, case: Case) -> None:
    """A 422 lists where each error is, in a place that the operation has; a 400 says it in words."""
    if response.status_code not in REFUSED:
        return
    detail = response.json()["detail"]
    if isinstance(detail, str):
        names = [detail]
    else:
        for error in detail:
            assert error["loc"][0] in ("body", "path", "query"), f"{error['loc']} is no place in a request"
        names = [str(part) for error in detail for part in error["loc"]]
    wrong = wrong_part(case)
    if wrong is not None:
        assert any(wrong in name for name in names), f"{wrong} is wrong and not named by {detail!r}"
