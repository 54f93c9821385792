"""What each address shows: the pages of who has a session, and what opens by a secret word."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from importlib.resources import files
from urllib.parse import parse_qsl

import structlog
from aiohttp import web

from bot.chat.access import Permission
from bot.errors import ChartError, QueryError
from bot.model.chat_events import Role
from bot.model.chats import Chat, ChatSettings
from bot.model.web import WebTokenKind
from bot.text.clean import plain
from bot.web import syndication
from bot.web.answers import Answers, Refused, link_over
from bot.web.attempts import Attempts
from bot.web.blocks import Form, Page, Text, paragraph
from bot.web.hubs import HubCalls
from bot.web.pages.alerts import SHOWN, alerts_page, feed_address
from bot.web.pages.decisions import decision, with_decisions
from bot.web.pages.feeds import feed_page, feeds_page
from bot.web.pages.outbox import outbox_page
from bot.web.pages.search import CHART_DAYS, read_query, search_page, try_page
from bot.web.pages.status import status_page
from bot.web.pages.story import story_page
from bot.web.render import Surroundings, menu
from bot.web.services import WebServices
from bot.web.sessions import SESSION, Sessions, new_word
from bot.web.signed import read_story_link
from bot.web.visit import Viewer, Visit

FIELDS = 10  #: of a form

STATIC = {
    "style.css": "text/css",
    "htmx.min.js": "text/javascript",
    "icon.svg": "image/svg+xml",
}  #: our own files

HUBS = "/hub/"  #: begins the addresses that hubs call

log = structlog.stdlib.get_logger("newsbell.web")

PageFunction = Callable[[Visit, WebServices], Awaitable[Page]]
PAGES: Mapping[str, tuple[Permission, PageFunction]] = {
    "/": (Permission.READ, status_page),
    "/alerts": (Permission.READ, alerts_page),
    "/feeds": (Permission.READ, feeds_page),
    "/search": (Permission.READ, search_page),
    "/try": (Permission.READ, try_page),
    "/outbox": (Permission.OPERATE, outbox_page),
}  #: by address, with what they need


class Handlers:
    """Takes requests that are meant for us; raises `Refused` and StoreError."""

    def __init__(self, services: WebServices, answers: Answers) -> None:
        self._services, self._answers = services, answers
        self._sessions, self._attempts = Sessions(services), Attempts()
        self._secure = services.public.startswith("https://")
        self._cookie = "__Host-newsbell" if self._secure else "newsbell"
        folder = files("bot.web").joinpath("static")
        self._static = {name: folder.joinpath(name).read_bytes() for name in STATIC}

    def add_routes(self, router: web.UrlDispatcher) -> None:
        """Say which address leads where."""
        add = router.add_route
        for path in PAGES:
            add("GET", path, self._page)
        add("GET", r"/feed/{number:\d{1,15}}", self._feed)
        add("GET", r"/story/{number:\d{1,15}}", self._story)
        add("GET", "/chart.svg", self._chart)
        add("POST", "/alerts", self._change_feed)
        add("GET", "/login/{word}", self._ask_login)
        add("POST", "/login/{word}", self._login)
        add("POST", "/logout", self._logout)
        add("GET", "/s/{link}", self._signed_story)
        add("POST", "/s/{link}", self._decide_story)
        add("GET", r"/out/{word}/alerts.{kind:atom|json}", self._syndicated)
        add("GET", "/static/{name}", self._file)
        hubs = HubCalls(self._services)
        for method, call in (("GET", hubs.verify), ("POST", hubs.take)):
            add(method, rf"{HUBS}{{feed:\d{{1,15}}}}/{{word:[0-9a-f]{{32}}}}", call)

    def _try_word(self, word: str) -> None:
        """Raise a refusal where too many words were tried that are not good."""
        if not self._attempts.allowed(word, asyncio.get_running_loop().time()):
            raise Refused(429, 60)

    # Pages for who has a session.

    async def _visit(
        self, request: web.Request, permission: Permission, form: Mapping[str, str] | None = None
    ) -> Visit:
        """Return who asks for what. Raises a refusal, and StoreError."""
        viewer = await self._viewer(request)
        if viewer is None:
            raise Refused(401)
        if not viewer.may(permission):
            raise Refused(403)
        query = dict(form if form is not None else request.query)
        chat = viewer.chat(query.get("chat", ""))
        settings = chat.settings if chat else ChatSettings()
        translator = self._services.translator(settings)
        return Visit(viewer, chat, translator, self._services.now(), query)

    async def _viewer(self, request: web.Request) -> Viewer | None:
        session = request.cookies.get(self._cookie, "")
        if not session:
            return None
        self._try_word(session)
        viewer = await self._sessions.viewer(session)
        self._attempts.tried(session, good=viewer is not None)
        return viewer

    def _shown(self, request: web.Request, page: Page, visit: Visit) -> web.Response:
        """Return a page with the menu around it."""
        viewer, translator = visit.viewer, visit.translator
        chat, operates = visit.query.get("chat", ""), viewer.may(Permission.OPERATE)
        path = request.path if request.path in PAGES else "/"
        chats = [(str(each.id), plain(each.name)) for each in viewer.chats]
        if viewer.sees_all:
            chats.insert(0, ("", translator.gettext("All chats")))
        around = Surroundings(
            path=path,
            ways=tuple(menu(translator, request.path, chat, operates=operates)),
            chats=tuple(chats) if len(chats) > 1 else (),
            chat=str(visit.chat_id or ""),
            kept=tuple((name, value) for name, value in visit.query.items() if name == "q"),
            signed_in=True,
        )
        return self._answers.document(page, translator, around)

    async def _page(self, request: web.Request) -> web.Response:
        permission, function = PAGES[request.path]
        visit = await self._visit(request, permission)
        return self._shown(request, await function(visit, self._services), visit)

    async def _feed(self, request: web.Request) -> web.Response:
        visit = await self._visit(request, Permission.READ)
        page = await feed_page(visit, self._services, int(request.match_info["number"]))
        return self._shown(request, _found(page), visit)

    async def _story(self, request: web.Request) -> web.Response:
        visit = await self._visit(request, Permission.READ)
        page = await story_page(visit, self._services, int(request.match_info["number"]))
        return self._shown(request, _found(page), visit)

    async def _chart(self, request: web.Request) -> web.Response:
        visit = await self._visit(request, Permission.READ)
        search, translator = self._services.search, visit.translator
        try:
            query = await read_query(visit, self._services)
            days = await search.daily_counts(query.tree, visit.chat_id, CHART_DAYS, translator)
            picture = await self._services.chart(days, translator, bool(visit.number("dark", 1)))
        except QueryError:
            raise Refused(404) from None
        except ChartError as error:
            log.warning("web_chart_failed", error=str(error))
            raise Refused(503, 10) from None
        headers = {"Cache-Control": "private, max-age=60"}
        return web.Response(body=picture, content_type="image/svg+xml", headers=headers)

    async def _change_feed(self, request: web.Request) -> web.Response:
        """Make or revoke the address of a chat's alerts."""
        form = await _form(request)
        visit = await self._visit(request, Permission.CHANGE, form)
        chat = visit.chat
        if chat is None or str(chat.id) != form.get("chat"):
            raise Refused(404)
        if not visit.viewer.may_change(chat):
            raise Refused(403)
        word = ""
        if form.get("do") == "make":
            word = new_word()
            user_id = visit.viewer.user_id
            await self._services.web.make_feed(chat.id, user_id, word, visit.now)
        elif form.get("do") == "revoke":
            await self._services.web.revoke_feed(chat.id)
        return self._shown(request, await alerts_page(visit, self._services, word), visit)

    # What opens by a secret word.

    async def _ask_login(self, request: web.Request) -> web.Response:
        """Show a button: who only looks at a link, as previews do, does not use it."""
        translator, word = self._answers.stranger(request), request.match_info["word"]
        self._try_word(word)
        token = await self._services.web.token(WebTokenKind.LINK, word, self._services.now())
        self._attempts.tried(word, good=token is not None)
        if token is None:
            return self._answers.document(link_over(translator), translator)
        title = Text(translator.gettext("Open newsbell"))
        form = Form(request.path, translator.gettext("Sign in"), post=True)
        text = translator.gettext(
            "This browser then stays signed in for {number} days.", number=SESSION.days
        )
        return self._answers.document(Page(title, (paragraph(text), form)), translator)

    async def _login(self, request: web.Request) -> web.Response:
        word = request.match_info["word"]
        self._try_word(word)
        session = await self._sessions.open(word)
        if session is None:
            self._attempts.tried(word, good=False)
            translator = self._answers.stranger(request)
            return self._answers.document(link_over(translator), translator)
        response = web.Response(status=303, headers={"Location": "/"})
        response.set_cookie(
            self._cookie,
            session,
            max_age=int(SESSION.total_seconds()),
            path="/",
            httponly=True,
            secure=self._secure,
            samesite="Lax",
        )
        return response

    async def _logout(self, request: web.Request) -> web.Response:
        if session := request.cookies.get(self._cookie, ""):
            self._try_word(session)
            await self._services.web.end_session(session)
        response = self._answers.refusal(request, Refused(401))
        response.set_status(200)
        response.del_cookie(self._cookie, path="/", secure=self._secure, httponly=True)
        return response

    async def _signed(self, request: web.Request) -> tuple[Chat, int]:
        """Return chat and story of a signed link. Raises a refusal, and StoreError."""
        services, word = self._services, request.match_info["link"]
        self._try_word(word)
        link = read_story_link(await services.web.key(), word)
        chat = await services.chats.chat(link[0]) if link else None
        if link is None or chat is None or not chat.allowed:
            self._attempts.tried(word, good=False)
            raise Refused(404)
        return chat, link[1]

    async def _decide_story(self, request: web.Request) -> web.Response:
        """Mute, follow or take a story for a chat whose service has no buttons."""
        chat, story_id = await self._signed(request)
        form = {name: str(value) for name, value in (await request.post()).items()}
        alert = await self._services.chats.alert_of_story(chat.id, story_id)
        change = decision(chat, alert, form)
        if change is None:
            raise Refused(404)
        await self._services.chats.change_story(chat.id, change, self._services.now())
        return web.Response(status=303, headers={"Location": request.path})

    async def _signed_story(self, request: web.Request) -> web.Response:
        services = self._services
        chat, story_id = await self._signed(request)
        translator = services.translator(chat.settings)
        viewer = Viewer(0, Role.STRANGER, (chat,))
        visit = Visit(viewer, chat, translator, services.now(), {})
        page = await story_page(visit, services, story_id, alone=True)
        if page is None:  # the story began in a feed that is other chats'
            alerts = await services.search.alerts(chat.id, SHOWN)
            own = [alert.entry_id for alert in alerts if alert.story_id == story_id]
            page = await story_page(visit, services, own[0], alone=True) if own else None
        alert = await services.chats.alert_of_story(chat.id, story_id)
        page = with_decisions(_found(page), chat, alert, request.path, translator)
        return self._answers.document(page, translator)

    async def _syndicated(self, request: web.Request) -> web.Response:
        services, word = self._services, request.match_info["word"]
        self._try_word(word)
        token = await services.web.token(WebTokenKind.FEED, word, services.now())
        chat = await services.chats.chat(token.chat_id or 0) if token else None
        self._attempts.tried(word, good=chat is not None)
        if chat is None or not chat.allowed:
            raise Refused(404)
        alerts = await services.search.alerts(chat.id, SHOWN)
        kind, title = request.match_info["kind"], plain(chat.name)
        address = feed_address(services.public, word, kind)
        if kind == "json":
            body = syndication.json_feed(alerts, chat_id=chat.id, title=title, address=address)
            kind_of_body = syndication.JSON
        else:
            body = syndication.atom(
                alerts, chat_id=chat.id, title=title, address=address, now=services.now()
            )
            kind_of_body = syndication.ATOM
        return web.Response(body=body, headers={"Content-Type": kind_of_body})

    async def _file(self, request: web.Request) -> web.Response:
        name = request.match_info["name"]
        if name not in self._static:
            raise Refused(404)
        headers = {"Cache-Control": "public, max-age=86400"}
        return web.Response(body=self._static[name], content_type=STATIC[name], headers=headers)


async def _form(request: web.Request) -> dict[str, str]:
    """Return what a form sends. Raises a refusal where it is none of ours.

    Ours are short, URL-encoded and UTF-8, whatever the request says of itself.
    """
    text = (await request.read()).decode(errors="replace")
    try:
        return dict(parse_qsl(text, keep_blank_values=True, max_num_fields=FIELDS))
    except ValueError:
        raise Refused(400) from None


def _found(page: Page | None) -> Page:
    """Return a page that there is. Raises a refusal otherwise."""
    if page is None:
        raise Refused(404)
    return page
