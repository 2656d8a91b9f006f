from __future__ import annotations

from typing import Any

import pytest

from plugandtell.analytics.settings import WorkerSettings
from plugandtell.core.call import Stage
from plugandtell.core.errors import InvalidSetting
from plugandtell.core.failure import RetryRules


def test_the_rules_hold_for_every_stage_unless_it_has_its_own() -> None:
    settings = WorkerSettings(attempts=2, stage=("intent.attempts=7", "intent.first_delay_s=0.5", "features.rounds=0"))
    assert settings.retry_rules(Stage.SENTIMENT) == RetryRules(attempts=2)
    assert settings.retry_rules(Stage.INTENT) == RetryRules(attempts=7, first_delay_s=0.5)
    assert settings.retry_rules(Stage.FEATURES) == RetryRules(attempts=2, rounds=0)


def test_a_time_limit_grows_with_the_audio() -> None:
    settings = WorkerSettings(limit_s=10, limit_factor=2, stage=("features.limit_factor=0.5",))
    assert settings.time_limit_s(Stage.INTENT, 60) == 130
    assert settings.time_limit_s(Stage.FEATURES, 60) == 40


@pytest.mark.parametrize(
    ("fields", "flag"),
    [
        ({"concurrency": 0}, "--concurrency"),
        ({"attempts": 0}, "--attempts"),
        ({"rounds": -1}, "--rounds"),
        ({"first_delay_s": 700.0}, "--first-delay-s"),
        ({"limit_s": 0.0}, "--limit-s"),
        ({"lock_s": 0.0}, "--lock-s"),
        ({"max_deaths": -1}, "--max-deaths"),
        ({"sweep_every_s": 0.0}, "--sweep-every-s"),
        ({"stage": ("intent.attempts=0",)}, "--attempts"),
        ({"stage": ("intent.attempts=many",)}, "--stage"),
        ({"stage": ("intent.colour=3",)}, "--stage"),
        ({"stage": ("singing.attempts=3",)}, "--stage"),
        ({"stage": ("attempts",)}, "--stage"),
        ({"alert_webhook": "ftp://example.org"}, "--alert-webhook"),
    ],
)
def test_what_cannot_be_is_refused_by_the_name_of_its_flag(fields: dict[str, Any], flag: str) -> None:
    with pytest.raises(InvalidSetting) as caught:
        WorkerSettings(**fields)
    assert caught.value.name == flag
