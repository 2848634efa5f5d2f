"""Secrets in the forms that senders take."""

import re

import pytest

from core.hooks.model import HookAuth
from core.hooks.proofs import make_secret, require_secret, signing_key
from core.kernel.problems import InvalidArgument, Unavailable

SIGNED = [each for each in HookAuth if each is not HookAuth.KEY]


@pytest.mark.parametrize("auth", SIGNED)
def test_secret_that_we_make_is_one_that_we_take(auth: HookAuth) -> None:
    made = make_secret(auth)

    assert require_secret(auth, made) == made
    assert len(signing_key(auth, made)) >= 24
    assert make_secret(auth) != made


@pytest.mark.parametrize(
    ("auth", "form"),
    [
        (HookAuth.STANDARD, r"whsec_[A-Za-z0-9+/]{43}="),
        (HookAuth.GITHUB, r"[0-9a-f]{64}"),
        (HookAuth.GITLAB, r"whsec_[A-Za-z0-9+/]{43}="),
        (HookAuth.STRIPE, r"whsec_[0-9a-f]{48}"),
        (HookAuth.SLACK, r"[0-9a-f]{32}"),
        (HookAuth.GRAFANA, r"[0-9a-f]{64}"),
        (HookAuth.KEY, r""),
    ],
)
def test_secret_has_its_senders_form(auth: HookAuth, form: str) -> None:
    assert re.fullmatch(form, make_secret(auth))


def test_only_standard_webhooks_signs_with_what_its_secret_encodes() -> None:
    text = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"  # pragma: allowlist secret

    assert len(signing_key(HookAuth.STANDARD, text)) == 24
    assert signing_key(HookAuth.STRIPE, text) == text.encode()


@pytest.mark.parametrize("auth", SIGNED)
@pytest.mark.parametrize(
    "secret", ["", " ", "changeme", "short", " " * 40, "x" * 40, "é" * 20, "a\n" * 20]
)
def test_secret_as_good_as_none_is_refused(auth: HookAuth, secret: str) -> None:
    """`R-05`: when it is chosen, and again when something is to be checked with it."""
    with pytest.raises(InvalidArgument):
        require_secret(auth, secret)
    with pytest.raises(Unavailable):
        signing_key(auth, secret)


def test_refusal_does_not_repeat_the_secret() -> None:
    """`R-69`."""
    secret = "my-very-own-sécret"  # pragma: allowlist secret

    with pytest.raises(InvalidArgument) as refused:
        require_secret(HookAuth.GITHUB, secret)

    assert secret not in f"{refused.value.detail} {refused.value.fix}"


def test_api_keys_go_without_a_secret() -> None:
    with pytest.raises(InvalidArgument, match="share no secret"):
        require_secret(HookAuth.KEY, "a-long-enough-secret")
