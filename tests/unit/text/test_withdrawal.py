"""Headlines by which publishers take their articles back."""

import pytest

from bot.text.withdrawal import Withdrawal, statements, withdrawal_of, without_sign


@pytest.mark.parametrize(
    "title",
    [
        "WITHDRAWN: Radar seen in Port Selva", "Retracted - Mill burns", "[Withdrawn] Mill burns",
        "(Retraction) Mill burns", "Zurückgezogen: Mühle brennt", "Widerruf – Mühle brennt",
        "RETIRADO: Arde el molino", "Retractación: arde el molino", "Отозвано: горит мельница",
        "ОПРОВЕРЖЕНИЕ: горит мельница", "Відкликано: горить млин", "سحب: حريق في الطاحونة",
        "RETRACTED ARTICLE: On mills that burn", "Mill burns [Retracted]", "Mill burns (withdrawn)",
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
        "تصحيح: حريق في الطاحونة", "Mill burns (corrected)", "Correction notice: Mill burns",
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
        "Mill (corrected) burns", "Troops (withdrawn) return home",
    ],
)  # fmt: skip
def test_news_is_neither(title: str) -> None:
    assert withdrawal_of(title) is None


@pytest.mark.parametrize(
    ("title", "bare"),
    [
        ("CORRECTED 2: Mill burns", "Mill burns"),
        ("[Withdrawn] Mill burns", "Mill burns"),
        ("Mill burns (corrected)", "Mill burns"),
        ("Mill burns", "Mill burns"),
        ("[Retracted]", "[Retracted]"),
    ],
)
def test_a_headline_without_the_word(title: str, bare: str) -> None:
    assert without_sign(title) == bare


@pytest.mark.parametrize(
    ("text", "kinds"),
    [
        ("The mill burns. Correction: it was two, not 12.", ["corrected"]),
        ("The mill burns. Correction (2 March): it was two.", ["corrected"]),
        ("This article was amended on 2 March 2026.", ["corrected"]),
        ("It burns. An earlier version of this story gave another number.", ["corrected"]),
        ("Sie brennt. Korrektur: Es waren zwei.", ["corrected"]),
        ("Arde. Una versión anterior de este artículo decía doce.", ["corrected"]),
        ("Горит. В предыдущей версии статьи говорилось о двенадцати.", ["corrected"]),
        ("Горить. У попередній версії йшлося про дванадцять.", ["corrected"]),
        ("حريق. في نسخة سابقة من هذا المقال ورد رقم آخر.", ["corrected"]),
        ("This article has been retracted by its authors.", ["withdrawn"]),
        ("It burns. The Post has withdrawn this story.", ["withdrawn"]),
        ("Dieser Beitrag wurde zurückgezogen.", ["withdrawn"]),
        ("Este artículo ha sido retirado.", ["withdrawn"]),
        ("Этот материал отозван.", ["withdrawn"]),
        ("Цю статтю відкликано.", ["withdrawn"]),
        ("تم سحب هذا المقال.", ["withdrawn"]),
        ("This report was withdrawn by the ministry.", []),
        ("The market correction: prices fall. A correction is due: soon.", []),
        ("The army has withdrawn this week.", []),
        ("", []),
    ],
)
def test_sentences_of_an_article_that_take_it_back(text: str, kinds: list[str]) -> None:
    assert [item.kind for item in statements(text)] == kinds


@pytest.mark.parametrize("sign", ["(", "[", "*", "【", "( "])
def test_a_headline_of_nothing_but_brackets_is_news(sign: str) -> None:
    """A pattern without bounds took seconds for it."""
    assert withdrawal_of(sign * 2000) is None
    assert without_sign(sign * 2000) == sign * 2000
