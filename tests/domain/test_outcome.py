import pytest

from repermit.domain.outcome import ASKED, Outcome, outcome
from repermit.domain.standing import Standing


@pytest.mark.parametrize("standing", Standing)
def test_every_standing_is_an_outcome(standing: Standing) -> None:
    assert outcome(standing, suspect=False, may_have_mail=True) in Outcome


def test_a_no_before_any_mail_is_nobody_who_was_asked() -> None:
    found = outcome(Standing.OPTED_OUT, suspect=False, may_have_mail=False)

    assert found is Outcome.STOPPED
    assert found not in ASKED


@pytest.mark.parametrize(
    ("standing", "expected"),
    [
        (Standing.ASKED, Outcome.SUSPECT),
        (Standing.DOUBTFUL, Outcome.SUSPECT),
        (Standing.UNDELIVERABLE, Outcome.SUSPECT),
        (Standing.OPTED_IN, Outcome.YES),
        (Standing.OPTED_OUT, Outcome.NO),
    ],
)
def test_presses_that_contradict_each_other_leave_an_earlier_answer_in_force(
    standing: Standing, expected: Outcome
) -> None:
    assert outcome(standing, suspect=True, may_have_mail=True) is expected
