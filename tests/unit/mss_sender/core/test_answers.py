"""What the operator's SMTP answers ask for."""

import pytest

from mss_sender.core.answers import Answer, Stage, Verdict, judge


@pytest.mark.parametrize(
    ("stage", "code", "text", "verdict", "smtp_code"),
    [
        (Stage.RECIPIENT, 450, "4.2.0 greylisted", Verdict.RETRY, "450"),
        (Stage.RECIPIENT, 452, "4.5.3 too many", Verdict.RETRY, "452"),
        (Stage.CONTENT, 451, "4.3.0 later", Verdict.RETRY, "451"),
        (Stage.RECIPIENT, 550, "5.1.1 no such user", Verdict.BOUNCE, "550"),
        (Stage.RECIPIENT, 552, "5.2.2 full", Verdict.BOUNCE, "552"),
        (Stage.RECIPIENT, 553, "5.1.3 syntax", Verdict.BOUNCE, "553"),
        (Stage.SENDER, 552, "5.3.4 too big", Verdict.BOUNCE, "523"),
        (Stage.CONTENT, 554, "5.7.1 content refused", Verdict.BOUNCE, "554"),
        (Stage.CONTENT, 599, "strange", Verdict.BOUNCE, "554"),
        (Stage.SENDER, 553, "5.7.1 this certificate may not", Verdict.HALT, "553"),
        (Stage.SENDER, 530, "5.7.0 STARTTLS first", Verdict.HALT, "530"),
        (Stage.GREETING, 535, "5.7.8 no", Verdict.HALT, "554"),
        (Stage.GREETING, 421, "4.3.2 busy", Verdict.RETRY, "421"),
        (Stage.GREETING, 554, "5.7.1 go away", Verdict.HALT, "554"),
        (Stage.RECIPIENT, 535, "5.7.8 expired", Verdict.HALT, "554"),
    ],
)
def test_an_answer_is_retried_final_or_about_us(
    stage: Stage, code: int, text: str, verdict: Verdict, smtp_code: str
) -> None:
    answer = Answer(stage, code, text)
    assert (judge(answer), answer.smtp_code) == (verdict, smtp_code)
