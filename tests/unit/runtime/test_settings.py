"""What a service says of settings that are missing or wrong."""

import pytest
from pydantic import field_validator
from pydantic_settings import BaseSettings

from forewarn.runtime.settings import SettingsError, load_settings


class Settings(BaseSettings):
    origins: list[str] = []
    rate: float = 0.1

    @field_validator("rate")
    @classmethod
    def _is_a_share(cls, rate):
        if not 0.0 <= rate <= 1.0:
            raise ValueError("a share is from 0 to 1")
        return rate


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("ORIGINS", "http://plant", 'ORIGINS: is not JSON such as ["a", "b"]'),
        ("ORIGINS", "{}", "ORIGINS: Input should be a valid list"),
        ("RATE", "2", "RATE: a share is from 0 to 1"),
    ],
)
def test_a_wrong_value_is_one_line_with_its_variable(monkeypatch, name, value, said):
    monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError) as caught:
        load_settings(Settings)
    assert str(caught.value) == said
