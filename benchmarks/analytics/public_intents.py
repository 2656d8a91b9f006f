"""Two freely licensed sets of English requests, as far as their intents are ours without doubt.

- BANKING77: I. Casanueva et al., "Efficient Intent Detection with Dual Sentence Encoders", 2020, PolyAI; CC BY 4.0.
- CLINC150: S. Larson et al., "An Evaluation Dataset for Intent Classification and Out-of-Scope Prediction", 2019; CC BY
  3.0.

The sets themselves are not in this repository; the heads that are shipped name them (see weights/heads.json). No intent
of theirs is a complaint, so that they say nothing about those.
"""

from __future__ import annotations

import csv
import json
import random
from typing import TYPE_CHECKING

from examples import Example

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

EACH = 20
"""Sentences of one intent at most, so that none drowns what we wrote ourselves."""

BANKING77 = {
    ("support", "technical_problem"): "card_not_working contactless_not_working virtual_card_not_working top_up_failed",
    ("support", "account_access"): "passcode_forgotten pin_blocked",
    ("support", "billing"): "transaction_charged_twice card_payment_not_recognised cash_withdrawal_not_recognised "
    "direct_debit_payment_not_recognised",
    ("support", "cancellation"): "terminate_account cancel_transfer",
    ("support", "refund"): "request_refund",
    ("support", "other_support"): "lost_or_stolen_card lost_or_stolen_phone activate_my_card edit_personal_details "
    "compromised_card",
    ("information_request", "price_question"): "top_up_by_card_charge exchange_charge exchange_rate",
    ("information_request", "delivery"): "card_delivery_estimate",
    ("information_request", "product_question"): "age_limit atm_support card_acceptance country_support "
    "fiat_currency_support supported_cards_and_currencies disposable_card_limits top_up_limits visa_or_mastercard",
    ("information_request", "other_information"): "why_verify_identity transfer_timing",
}

CLINC150 = {
    ("support", "account_access"): "pin_change account_blocked",
    ("support", "billing"): "pay_bill report_fraud",
    ("support", "cancellation"): "cancel_reservation",
    ("support", "new_order"): "restaurant_reservation book_flight book_hotel car_rental order new_card order_checks",
    ("support", "appointment"): "schedule_maintenance",
    ("support", "other_support"): "report_lost_card freeze_account",
    ("information_request", "billing"): "balance bill_balance bill_due min_payment credit_limit",
    ("information_request", "delivery"): "order_status replacement_card_duration",
    ("information_request", "price_question"): "interest_rate international_fees",
    ("information_request", "product_question"): "carry_on expiration_date",
    ("information_request", "other_information"): "application_status flight_status directions routing",
    ("other", "greeting"): "greeting",
    ("other", "thanks"): "thank_you goodbye",
    ("other", "smalltalk"): "tell_joke fun_fact how_old_are_you what_are_your_hobbies where_are_you_from "
    "what_is_your_name are_you_a_bot weather meaning_of_life",
    ("other", "other"): "yes no maybe repeat spelling translate play_music timer shopping_list roll_dice",
}


def banking77(file: Path, seed: int) -> list[Example]:
    """A sample of its training part, a CSV with the columns `text` and `category`."""
    with file.open(newline="", encoding="utf-8") as opened:
        rows = [(row["text"].strip(), row["category"]) for row in csv.DictReader(opened)]
    return list(_sample(rows, BANKING77, seed))


def clinc150(file: Path, seed: int) -> list[Example]:
    """A sample of its training part, JSON with a list of [text, intent] under `train`."""
    rows = [(text.strip(), intent) for text, intent in json.loads(file.read_text(encoding="utf-8"))["train"]]
    return list(_sample(rows, CLINC150, seed))


def _sample(rows: Iterable[tuple[str, str]], ours: dict[tuple[str, str], str], seed: int) -> Iterator[Example]:
    of_intent: dict[str, list[str]] = {}
    for text, intent in rows:
        of_intent.setdefault(intent, []).append(" ".join(text.split()))
    for names, theirs in ours.items():
        for intent in theirs.split():
            texts = sorted(set(of_intent[intent]))
            chosen = random.Random(f"{seed} {intent}").sample(texts, min(EACH, len(texts)))  # noqa: S311  # no secret
            yield from (Example("en", names, text, f"{intent} {at}") for at, text in enumerate(chosen))
