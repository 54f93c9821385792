"""Pages of an invented channel, built as Telegram's public preview builds them. Not assertions."""

from collections.abc import Sequence
from datetime import datetime
from html import escape

from support import NOON

HEAD = (
    '<!DOCTYPE html>\n<html class="">\n<head><meta charset="utf-8">'
    "<title>Telegram: View @{name}</title></head><body>"
)


def post(
    number: int,
    text: str = "",
    *,
    name: str = "euphrates_post",
    at: datetime | None = NOON,
    before: str = "",
    after: str = "",
    meta: str = "",
    views: str = "1.2K",
    service: bool = False,
) -> str:
    """Return a post; `text` is markup, `before` and `after` stand around it in its bubble."""
    words = (
        f'<div class="tgme_widget_message_text js-message_text" dir="auto">{text}</div>'
        if text
        else ""
    )
    time = f'<time datetime="{at.isoformat()}" class="time">12:00</time>' if at else ""
    kind = " service_message" if service else ""
    return (
        '<div class="tgme_widget_message_wrap js-widget_message_wrap">'
        f'<div class="tgme_widget_message text_not_supported_wrap{kind} js-widget_message"'
        f' data-post="{name}/{number}" data-view="{views}eyJj">'
        '<div class="tgme_widget_message_bubble">'
        '<div class="tgme_widget_message_author accent_color">'
        f'<a class="tgme_widget_message_owner_name" href="https://t.me/{name}">'
        f'<span dir="auto">Euphrates Post</span></a></div>{before}{words}{after}'
        '<div class="tgme_widget_message_footer compact js-message_footer">'
        '<div class="tgme_widget_message_info short js-message_info">'
        f'<span class="tgme_widget_message_views">{views}</span>'
        f'<span class="tgme_widget_message_meta">{meta}'
        f'<a class="tgme_widget_message_date" href="https://t.me/{name}/{number}">{time}</a>'
        "</span></div></div></div></div></div>"
    )


def channel_page(*posts: str, name: str = "euphrates_post", title: str = "Euphrates Post") -> str:
    """Return the page of a channel with these posts, oldest first as the site shows them."""
    return (
        HEAD.format(name=name)
        + '<header class="tgme_header"><div class="tgme_channel_info_header">'
        f'<div class="tgme_channel_info_header_title"><span dir="auto">{escape(title)}</span></div>'
        f'<div class="tgme_channel_info_header_username"><a href="https://t.me/{name}">@{name}</a>'
        "</div></div></header>"
        f'<section class="tgme_channel_history js-message_history">{"".join(posts)}</section>'
        "</body></html>"
    )


def landing_page(extra: str, title: str = "Euphrates Post") -> str:
    """Return the page to which the site sends where it has no preview to show."""
    name = f'<div class="tgme_page_title"><span dir="auto">{title}</span></div>' if title else ""
    more = f'<div class="tgme_page_extra">{extra}</div>' if extra else ""
    return (
        HEAD.format(name="euphrates_post")
        + f'<div class="tgme_page_wrap"><div class="tgme_page">{name}{more}'
        '<div class="tgme_page_action"><a class="tgme_action_button_new">View in Telegram</a></div>'
        "</div></div></body></html>"
    )


def photo(number: int = 1) -> str:
    """Return a picture of a post; its address is another one at each fetch."""
    return (
        f'<a class="tgme_widget_message_photo_wrap" href="https://t.me/euphrates_post/{number}" '
        f"style=\"background-image:url('https://cdn.example/file/{number}.jpg')\"></a>"
    )


def album(numbers: Sequence[int]) -> str:
    """Return several pictures that are one post."""
    inside = "".join(photo(number) for number in numbers)
    return (
        '<div class="tgme_widget_message_grouped_wrap js-message_grouped_wrap">'
        f'<div class="tgme_widget_message_grouped">{inside}</div></div>'
    )


def forwarded(name: str, href: str = "") -> str:
    """Return the line that says whose post was forwarded; without an address, a hidden person's."""
    tag = f'a href="{href}"' if href else "span"
    return (
        '<div class="tgme_widget_message_forwarded_from accent_color">Forwarded from&nbsp;'
        f'<{tag} class="tgme_widget_message_forwarded_from_name"><span dir="auto">{name}</span>'
        f"</{tag.split(maxsplit=1)[0]}></div>"
    )


def reply(number: int, words: str) -> str:
    """Return the line that quotes the post to which one replies."""
    return (
        f'<a class="tgme_widget_message_reply" href="https://t.me/euphrates_post/{number}">'
        '<div class="tgme_widget_message_author accent_color"><span '
        'class="tgme_widget_message_author_name" dir="auto">Euphrates Post</span></div>'
        f'<div class="tgme_widget_message_text js-message_reply_text" dir="auto">{words}</div></a>'
    )


def poll_of(question: str, *answers: str) -> str:
    """Return a poll; what share each answer has is another at each fetch."""
    options = "".join(
        '<a class="tgme_widget_message_poll_option">'
        '<div class="tgme_widget_message_poll_option_percent">40%</div>'
        f'<div class="tgme_widget_message_poll_option_text">{answer}</div></a>'
        for answer in answers
    )
    return (
        '<div class="tgme_widget_message_poll js-poll">'
        f'<div class="tgme_widget_message_poll_question">{question}</div>'
        f'<div class="tgme_widget_message_poll_type">Anonymous poll</div>{options}</div>'
    )


def preview(href: str, title: str = "", text: str = "") -> str:
    """Return what the site shows of a page that a post links to."""
    return (
        f'<a class="tgme_widget_message_link_preview" href="{href}">'
        '<div class="link_preview_site_name accent_color" dir="auto">Coast Herald</div>'
        f'<div class="link_preview_title" dir="auto">{title}</div>'
        f'<div class="link_preview_description" dir="auto">{text}</div></a>'
    )
