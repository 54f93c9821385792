"""Headlines by which publishers take their articles back."""

import pytest

from bot.text.withdrawal import Withdrawal, withdrawal_of


@pytest.mark.parametrize(
    "title",
    [
        "WITHDRAWN: Radar seen in Port Selva", "Retracted - Mill burns", "[Withdrawn] Mill burns",
        "(Retraction) Mill burns", "Zurückgezogen: Mühle brennt", "Widerruf – Mühle brennt",
        "RETIRADO: Arde el molino", "Retractación: arde el molino", "Отозвано: горит мельница",
        "ОПРОВЕРЖЕНИЕ: горит мельница", "Відкликано: горить млин", "سحب: حريق في الطاحونة",
    ],
)  # fmt: skip
def test_an_article_is_taken_back(title: str) -> None:
    assert withdrawal_of(title) is Withdrawal.WITHDRAWN


@pytest.mark.parametrize(
    "title",
    [
        "CORRECTED-Mill burns", "Corrected 2: Mill burns", "Correction: Mill burns",
        "(Corrects) Mill burns", "Korrektur: Mühle brennt", "BERICHTIGUNG/Mühle brennt",
        "Corrección: arde el molino", "Исправлено: горит мельница", "Виправлення: горить млин",
        "تصحيح: حريق في الطاحونة",
    ],
)  # fmt: skip
def test_an_article_is_corrected(title: str) -> None:
    assert withdrawal_of(title) is Withdrawal.CORRECTED


@pytest.mark.parametrize(
    "title",
    [
        "Corrected figures show a deficit", "Retraction of troops begins", "Withdrawn troops",
        "Paper is withdrawn: editors say", "Correctional officers: on strike", "", "Mill burns",
        "Снято с эфира интервью министра", "Withdrawals: banks run out of cash",
    ],
)  # fmt: skip
def test_news_is_neither(title: str) -> None:
    assert withdrawal_of(title) is None
