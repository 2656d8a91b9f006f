"""Posts alerts to an address of the user's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import aiohttp

from plugandtell.analytics.channels import WEBHOOK
from plugandtell.core.errors import AlertNotSent

if TYPE_CHECKING:
    from plugandtell.analytics.alerting import Facts

_ACCEPTED: Final = range(200, 300)


class WebhookChannel:
    """Posts the alert as JSON. The header `Idempotency-Key` holds its id, the same however often it is posted.

    Args:
        url: Where to.
        within_s: How long the answer may take.
    """

    def __init__(self, url: str, within_s: float = 10.0) -> None:
        self._url = url
        self._timeout = aiohttp.ClientTimeout(total=within_s)

    async def send(self, facts: Facts) -> None:
        """Post it.

        Raises:
            AlertNotSent: Nobody answers in time, or the answer is not one of 2xx: a redirect is not followed, since it
                may turn the POST into a GET without the alert. The address is not told: it may hold a secret.
        """
        headers = {"Idempotency-Key": str(facts["alert_id"])}
        try:
            async with (
                aiohttp.ClientSession(timeout=self._timeout) as session,
                session.post(self._url, json=facts, headers=headers, allow_redirects=False) as answer,
            ):
                status = answer.status
        except TimeoutError as exc:
            raise AlertNotSent(WEBHOOK, f"no answer within {self._timeout.total:g} s") from exc
        except (aiohttp.ClientError, OSError, ValueError) as exc:
            raise AlertNotSent(WEBHOOK, type(exc).__name__) from exc
        if status not in _ACCEPTED:
            raise AlertNotSent(WEBHOOK, f"the answer was HTTP {status}")
