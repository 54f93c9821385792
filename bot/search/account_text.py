"""What became of an entry, in words: one clause for each case. Finds nothing out (`account` does).

The clauses can follow a colon in any language. No I/O, no clock.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from bot.i18n.catalog import ENGLISH, Translator
from bot.model.archive import UncountedEntry
from bot.model.delivery import Wait, WaitCause
from bot.model.entries import Silence
from bot.model.updates import ChangeKind, UpdateFate
from bot.query.explain import sentence
from bot.search.account import Account, AlertAccount, Cause, Outcome, UpdateAccount
from bot.text.clean import cut

_UNCOUNTED = 3  # articles that are named
_TITLE = 120  # characters of a headline within a sentence
TimeFormat = Callable[[datetime], str]


def account_text(account: Account, when: TimeFormat, translator: Translator = ENGLISH) -> str:
    """Return what became of an entry for a subscription in a chat; empty where no words matched."""
    texts = [_account_text(account, when, translator)]
    texts += [_update_text(item, when, translator) for item in account.updates]
    return "; ".join(filter(None, texts))


def _account_text(account: Account, when: TimeFormat, translator: Translator) -> str:
    match account.outcome:
        case Outcome.JOINED:
            return _joined(account, when, translator)
        case Outcome.HELD:
            return _held(account, when, translator)
        case Outcome.NOT_SENT if account.progress.cause is not account.cause:
            if _is_of_story(account):
                return _joined(account, when, translator)
            return _not_sent(account, when, translator)  # the alert beside it says nothing of it
        case Outcome.FORGOTTEN if account.cause is Cause.NOT_RECORDED:
            return translator.gettext("no alert, and no reason was kept when the article came")
        case _:
            text = progress_text(account.progress, when, translator)
    if account.cause is Cause.OTHER_SUBSCRIPTION:
        return translator.gettext("alerted for another subscription, {state}", state=text)
    if account.cause is Cause.DEVELOPMENT:
        text = _as_news(text, translator)
    if account.alert is not None and account.alert.again_at is not None:
        again = when(account.alert.again_at)
        return translator.gettext("{state}; a second alert was sent {when}", state=text, when=again)
    return text


def _update_text(update: UpdateAccount, when: TimeFormat, translator: Translator) -> str:
    """What became of the entry after its alert, and how the chat heard of that."""
    at = when(update.at)
    match update.kind:
        case ChangeKind.WITHDRAWN:
            what = translator.gettext("withdrawn by the publisher {when}", when=at)
        case ChangeKind.CORRECTED:
            what = translator.gettext("corrected by the publisher {when}", when=at)
        case ChangeKind.PROGRESS:
            what = translator.gettext("updated by the publisher {when}", when=at)
    return f"{what} ({_told(update, when, translator)})"


def _told(update: UpdateAccount, when: TimeFormat, translator: Translator) -> str:
    match update.fate:
        case UpdateFate.TOLD:
            return _told_in_reply(update.progress, when, translator)
        case UpdateFate.EDITED:
            return translator.gettext("the alert's message is to show it")
        case UpdateFate.SHOWN:
            return translator.gettext("the alert's message shows it")
        case UpdateFate.UNSENT:
            return translator.gettext("the alert was sent later, and showed it")
        case UpdateFate.MUTED:
            return translator.gettext("no reply, because this chat had muted the storyline")
        case UpdateFate.UNWANTED:
            return translator.gettext("no reply, because no subscription in force wanted the alert")
        case UpdateFate.UNTOLD:
            return translator.gettext("not told, because the alert's message cannot change")


def _told_in_reply(progress: AlertAccount | None, when: TimeFormat, translator: Translator) -> str:
    if progress is None:
        return translator.gettext("told in a reply to the alert")
    if progress.outcome is Outcome.NOTED:  # a reply is no news of a story
        progress = replace(progress, outcome=Outcome.SENT)
    state = progress_text(progress, when, translator)
    return translator.gettext("told in a reply to the alert: {state}", state=state)


def _is_of_story(account: Account) -> bool:
    """Whether it was no match of its own, of a story that was alerted for the subscription."""
    alert = account.alert
    return (
        account.cause is Cause.NO_MATCH
        and alert is not None
        and account.subscription_id in alert.matches
    )


def progress_text(
    progress: AlertAccount, when: TimeFormat, translator: Translator = ENGLISH
) -> str:
    """Return how far an alert has come."""
    match progress.outcome:
        case Outcome.SENT | Outcome.NOTED:
            return _sent(progress, when, translator)
        case Outcome.WAITING:
            if progress.wait is None:
                return translator.gettext("the message is being sent")
            return wait_text(progress.wait, when, translator)
        case Outcome.HELD:
            return translator.gettext("waiting for enough independent publishers")
        case Outcome.NOT_SENT:
            return _taken_back(progress.cause, translator)
        case Outcome.LOST:
            return _lost(progress, translator)
        case _:
            return translator.gettext("what happened to the message is no longer stored")


def _sent(progress: AlertAccount, when: TimeFormat, translator: Translator) -> str:
    if progress.at is None:
        state = translator.gettext("sent")
    else:
        state = translator.gettext("sent {when}", when=when(progress.at))
    return _as_news(state, translator) if progress.outcome is Outcome.NOTED else state


def _as_news(state: str, translator: Translator) -> str:
    return translator.gettext("told as news of a story that was alerted, {state}", state=state)


def _taken_back(cause: Cause, translator: Translator) -> str:
    match cause:
        case Cause.MUTED:
            return translator.gettext("not sent, because this chat muted the storyline")
        case Cause.MERGED:
            return translator.gettext(
                "not sent, because its story became part of one that was alerted"
            )
        case Cause.NOT_NEEDED:
            return translator.gettext("not sent, because it was not needed any more")
        case _:
            return translator.gettext(
                "not sent, because no subscription wanted it any more before it could go out"
            )


def _lost(progress: AlertAccount, translator: Translator) -> str:
    match progress.cause:
        case Cause.UNDECIDED:
            text = translator.gettext(
                "the connection broke before the reply, so the message may or may not have arrived"
            )
        case Cause.REFUSED:
            text = translator.gettext("the message was refused")
        case Cause.WAITED_TOO_LONG:
            text = translator.gettext("dropped, because the chat took no messages for weeks")
        case _:
            text = translator.gettext("the message was dropped by hand")
    return f"{text} ({progress.reason})" if progress.reason else text


def wait_text(wait: Wait, when: TimeFormat, translator: Translator = ENGLISH) -> str:
    """Return why a message waits, and until when."""
    text = _wait_cause(wait, translator)
    if wait.until is not None:
        text = translator.gettext("{why}; next try {when}", why=text, when=when(wait.until))
    return text


def _wait_cause(wait: Wait, translator: Translator) -> str:
    match wait.cause:
        case WaitCause.QUIET_HOURS:
            return translator.gettext("waiting for the end of quiet hours")
        case WaitCause.DIGEST:
            return translator.gettext("waiting for the next digest")
        case WaitCause.CHAT_PACE:
            return translator.gettext("waiting, because the chat takes no more messages now")
        case WaitCause.RETRY | WaitCause.EDIT_PACE:
            return _with_reason(translator.gettext("waiting for another try"), wait)
        case WaitCause.PAUSED:
            return translator.gettext(
                "waiting, because the chat is paused: {reason}",
                reason=translator.gettext(wait.reason).rstrip("."),
            )
        case WaitCause.NOT_ALLOWED:
            return translator.gettext("waiting, because the chat may not use newsbell")
        case WaitCause.SERVICE_DOWN:
            return _with_reason(
                translator.gettext("waiting, because Telegram takes nothing now"), wait
            )
        case WaitCause.COLLECTED | WaitCause.IN_LINE:
            return translator.gettext("the message is queued")


def _with_reason(text: str, wait: Wait) -> str:
    return f"{text} ({wait.reason.rstrip('.')})" if wait.reason else text


def _joined(account: Account, when: TimeFormat, translator: Translator) -> str:
    title = cut(account.alert.title, _TITLE) if account.alert else ""
    state = progress_text(account.progress, when, translator)
    if account.cause is Cause.MERGED:
        return translator.gettext(
            "its story became part of that of “{title}” ({state})", title=title, state=state
        )
    return translator.gettext(
        "it belongs to the story of “{title}” ({state})", title=title, state=state
    )


def _held(account: Account, when: TimeFormat, translator: Translator) -> str:
    alert = account.alert
    if alert is None or not account.needed:
        return translator.gettext("waiting for enough independent publishers")
    parts = [
        translator.ngettext(
            "waiting for more publishers: {number} of {needed} has the story",
            "waiting for more publishers: {number} of {needed} have the story",
            alert.publishers,
            needed=account.needed,
        )
    ]
    parts += [_uncounted(item, translator) for item in alert.uncounted[:_UNCOUNTED]]
    if account.progress.until is not None:
        parts.append(
            translator.gettext(
                "you are alerted {when} at the latest", when=when(account.progress.until)
            )
        )
    return "; ".join(parts)


def _uncounted(item: UncountedEntry, translator: Translator) -> str:
    if item.counts_for:
        return translator.gettext(
            "“{title}” does not count, because {publisher} had the story already",
            title=cut(item.title, _TITLE),
            publisher=item.counts_for,
        )
    return translator.gettext(
        "“{title}” does not count, because it does not confirm the story",
        title=cut(item.title, _TITLE),
    )


def _not_sent(account: Account, when: TimeFormat, translator: Translator) -> str:
    at = when(account.at) if account.at else ""
    match account.cause:
        case Cause.BASELINE:
            return no_alert(Silence.BASELINE, translator)
        case Cause.ARCHIVE:
            return no_alert(Silence.ARCHIVE, translator)
        case Cause.MADE_LATER:
            return translator.gettext(
                "no alert, because the subscription was made later, {when}", when=at
            )
        case Cause.DELETED:
            return translator.gettext("no alert, because the subscription was removed then")
        case Cause.CHANGING:
            return translator.gettext(
                "no alert, because the subscription changed in that moment, {when}", when=at
            )
        case Cause.QUERY_CHANGED:
            return _other_query(account, translator)
        case Cause.WITHDRAWN:
            return _taken_back(Cause.WITHDRAWN, translator)
        case _:
            return _REASONS[account.cause](translator) if account.cause in _REASONS else ""


_REASONS: dict[Cause, Callable[[Translator], str]] = {
    Cause.MUTED: lambda translator: translator.gettext(
        "no alert, because this chat had muted the storyline"
    ),
    Cause.PAUSED: lambda translator: translator.gettext(
        "no alert, because the subscription was paused"
    ),
    Cause.FEED_OF_OTHERS: lambda translator: translator.gettext(
        "no alert, because only other chats had added the feed"
    ),
    Cause.CHAT_ADDED_LATER: lambda translator: translator.gettext(
        "no alert, because the subscription did not send to this chat then"
    ),
    Cause.READ_DIFFERENTLY: lambda translator: translator.gettext(
        "no alert, because it did not match when it came: names, lists or the feed's labels were "
        "others then"
    ),
}


def _other_query(account: Account, translator: Translator) -> str:
    if account.limited_to:
        return translator.gettext(
            "no alert, because the subscription was limited to {feeds} then",
            feeds=", ".join(account.limited_to),
        )
    text = translator.gettext("no alert, because the query was “{query}” then", query=account.query)
    if account.explanation is None:
        return text
    return f"{text} ({sentence(account.explanation, translator).rstrip('.')})"


def silence_text(kind: Silence, translator: Translator = ENGLISH) -> str:
    """Return why no alert was possible for an entry."""
    if kind is Silence.BASELINE:
        return translator.gettext(
            "it was already in the feed on the first fetch; such articles do not alert (a "
            "terminal shows those of the last day)"
        )
    return translator.gettext("it looked like an old article of the feed's archive, not like news")


def no_alert(kind: Silence, translator: Translator) -> str:
    """Return the same as a clause."""
    return translator.gettext("no alert, because {reason}", reason=silence_text(kind, translator))
