"""Classifies headlines as news, commentary, live page or digest. Regular expressions only."""

from enum import Enum

import re2
import regex


class Kind(Enum):
    """How reliably a headline names one event."""

    NEWS = 0
    COMMENTARY = 1  #: explains, illustrates or comments on an event
    LIVE = 2  #: a page that is updated for hours
    DIGEST = 3  #: covers many events, or comes every day


_NOT_LATIN = regex.compile(r"[\u0370-\u1dff\u3040-\uffff]")


class _Patterns:
    """Regular expressions of one kind of headline.

    RE2 is fast, but its word boundaries are ASCII only; other scripts are left to `regex`.
    """

    def __init__(self, *patterns: str) -> None:
        latin = [pattern for pattern in patterns if not _NOT_LATIN.search(pattern)]
        other = [pattern for pattern in patterns if _NOT_LATIN.search(pattern)]
        self.sources = patterns
        self._latin = re2.compile("(?i)" + "|".join(latin))
        self._other = regex.compile("|".join(other), regex.IGNORECASE)

    def match(self, title: str) -> bool:
        """Whether one of the expressions matches a headline."""
        not_latin = not title.isascii() and _NOT_LATIN.search(title)
        return (self._other if not_latin else self._latin).search(title) is not None


_DIGEST = _Patterns(
    # English
    r"^(?:the |your |our |today's )?(?:(?:mon|tues|wednes|thurs|fri|satur|sun)day )?(?:morning|"
    r"evening|afternoon|midday|nightly|daily|weekly|weekend)"
    r"(?: news| sports| business| tech)? (?:brief(?:ing)?|digest|edition|bulletin|round-?up|"
    r"wrap(?:-up)?|headlines|report|update|recap)\b",
    r"\bnews (?:brief|digest|bulletin|round-?up|quiz|in brief|wrap|recap)\b",
    r"^(?:top|today's|latest|breaking) (?:stories|headlines|news)(?:$| (?:of|for|from|on)\b|[:|])",
    r"\bwhat(?:'s| (?:you need )?to know) (?:for |on |this )?(?:today|(?:mon|tues|wednes|thurs|"
    r"fri|satur|sun)day|week)\b",
    r"^(?:up first|5 things|five things|things to know|week in (?:review|pictures)|"
    r"photos of the (?:day|week)|on this day|today in history)\b",
    r"^(?:letters?|corrections?|obituaries|lottery results|horoscopes?|crosswords?|podcasts?|"
    r"newsletters?)\b(?: to the editor)?(?:$|[:,|\d -])",
    r"\b(?:horoscopes?|crossword|wordle|connections hints|sudoku|lottery numbers) (?:today|for|"
    r"answers?|hints?|results)\b",
    r"\b(?:daily|weekly) (?:horoscope|crossword|quiz|cartoon|podcast|newsletter)\b",
    r"^(?:(?:local|national|\w+) )?weather(?: forecast)?(?: for| today|:|$)|"
    r"\bweather forecast for\b",
    # Russian, Ukrainian
    r"главн(?:ое|ые новости|ые события) (?:к (?:этому|утру|вечеру)|за |на |дня|недели|часа|"
    r"сегодня|утра|вечера)|^главное$",
    r"^(?:утренн|вечерн|дневн)\w+ (?:новост|дайджест|выпуск|сводк|обзор)|^(?:дайджест|"
    r"новости (?:дня|к этому часу|часа)|итоги (?:дня|недели))\b",
    r"^(?:гороскоп|прогноз погоды|погода (?:на|в)|сканворд|кроссворд|курс валют|анекдот)\b|"
    r"\bгороскоп на\b|\bпрогноз погоды на\b",
    r"^(?:головне|головні (?:новини|події)) (?:за|на|дня|тижня|ранку|вечора|до)\b|^головне$|"
    r"^(?:дайджест|новини дня|підсумки (?:дня|тижня))\b",
    r"^(?:гороскоп|прогноз погоди|погода (?:на|в|у)|курс валют)\b|\bгороскоп на\b|"
    r"\bпрогноз погоди на\b",
    # Arabic
    r"^(?:موجز|نشرة|أبرز|أهم|حصاد|مانشيت|عناوين) (?:ال)?(?:أخبار|أنباء|عناوين|أحداث|يوم|صباح|"
    r"مساء|ظهيرة|صحف)",
    r"^(?:حالة )?(?:ال)?طقس (?:اليوم|غدا)|^(?:حظك اليوم|أسعار (?:الذهب|العملات|الدولار) اليوم|"
    r"برجك)",
    # German
    r"^(?:nachrichten|news|das wichtigste|die wichtigsten (?:nachrichten|meldungen|"
    r"news))(?: \w+)? (?:am|vom|von|des|der|für|in)\b",
    r"^(?:morgen|abend|tages|wochen)(?:briefing|schau|themen|rückblick|überblick|magazin|lage|"
    r"update)\b|^die lage am\b",
    r"^(?:horoskop|wetter(?:bericht|vorhersage)?|kreuzworträtsel|presseschau|lottozahlen|"
    r"podcast)\b",
    # French
    r"^(?:le |la |l'|les )?(?:essentiel|journal|matinale|titres|infos?|brèves|"
    r"actu(?:alité)?s?)(?: de l'(?:actu|info)\w*)? (?:du|de|de la|des|de ce) "
    r"(?:jour|matin|soir|semaine|lundi|mardi|mercredi|jeudi|vendredi|samedi|dimanche|week-end|\d)",
    r"^(?:ce qu'il faut (?:savoir|retenir) (?:ce|du|de la|aujourd)|horoscope|météo|mots croisés|"
    r"revue de presse|les unes)\b",
    # Spanish, Portuguese, Italian
    r"^(?:las? )?(?:noticias?|titulares|resumen|claves|boletín)(?: más (?:importantes|"
    r"destacadas))? (?:del?|de la|de hoy|de este|para)"
    r" ?(?:hoy|día|semana|mañana|tarde|noche|lunes|martes|miércoles|jueves|viernes|sábado|domingo|"
    r"\d)|^(?:horóscopo|el tiempo|crucigrama|pronóstico)\b",
    r"^(?:as )?(?:notícias|manchetes|destaques|resumo|principais notícias) (?:do|da|de|desta|deste|"
    r"para) ?(?:dia|semana|hoje|manhã|tarde|noite|\d)",
    r"^(?:horóscopo|previsão do tempo|palavras cruzadas|giro de notícias)\b",
    r"^(?:le )?(?:notizie|ultim'?ora|titoli|rassegna stampa|prime pagine)(?: principali)? (?:di|"
    r"del|della|delle|da|in) ?(?:oggi|giorno|mattina|sera|settimana|\d)?",
    r"^(?:oroscopo|meteo|previsioni|cruciverba|rassegna stampa)\b",
    # Chinese, Japanese
    r"(?:早报|晚报|日报|早餐|新闻联播|要闻|头条|简报|速览|一周|每日)(?:$|[|｜:：丨 ])",
    r"^(?:早报|晚报|每日|今日要闻|今日头条|一周|新闻早餐|天气预报|星座运势)|今日运势",
    r"^(?:今日のニュース|朝刊|夕刊|天気予報|今日の運勢)",
)
_LIVE = _Patterns(
    r"\blive(?:[- ]?blog|[- ]?updates?| coverage| news| ticker)?\s*(?:$|[:|–—]|-\s)|"
    r"\b(?:live[- ]?blog|live updates?|as it happened|updates? live)\b",
    r"\blatest updates\b",
    r"\b(?:онлайн|трансляция|текстовая трансляция|хроника(?: дня)?|пряма трансляція|наживо)\b(?:$|"
    r"[:.,|])|^(?:онлайн|хроника|наживо)\b",
    r"(?:^|\s)(?:لحظة بلحظة|بث مباشر|تغطية مباشرة|مباشر[:|])",
    r"\b(?:liveticker|newsblog|live-?blog|ticker)\b|\+\+\+",
    r"\b(?:en direct|direct)\s*(?:$|[:|–—-])|^direct\b|\b(?:en vivo|en directo|última hora|"
    r"minuto a minuto|ao vivo|tempo real|in diretta|la diretta|diretta)\b",
    r"直播|实时更新|滚动|持续更新|ライブ|速報まとめ",
)
_COMMENTARY = _Patterns(
    r"^(?:how|why|what|who|where|when|inside|meet|watch|see|opinion|analysis|review|preview|"
    r"explainer|explained|timeline|profile|photos?|pictures|in pictures|gallery|video|listen|"
    r"interview|q&a|fact[- ]check|editorial|column|comment|all about|here's|here are)\b",
    r"\b(?:what (?:to|we) know|explained|explainer|in (?:photos|pictures|charts|maps)|"
    r"key takeaways|takeaways|what's next|what it means|a timeline|who (?:is|was|are)|"
    r"how to watch|opinion|analysis|everything (?:you|we)|a life in)\b|\?\s*$",
    r"^(?:почему|зачем|как|кто|что|сколько|где|мнение|аналитика|интервью|фото|видео|обзор)\b|"
    r"\b(?:что известно|мнение|интервью|фоторепортаж)\b",
    r"^(?:чому|навіщо|як|хто|що|скільки|де|думка|аналітика|інтерв'ю|фото|відео|огляд)\b|"
    r"\bщо відомо\b",
    r"^(?:لماذا|كيف|من هو|من هي|ما هو|ما هي|ماذا|هل|شاهد|فيديو|صور|تحليل|رأي|مقابلة|تقرير)(?:\s|"
    r":)|؟\s*$",
    r"^(?:warum|wieso|wie|was|wer|wo|kommentar|analyse|interview|porträt|meinung|video|bilder|"
    r"fotos|faktencheck)\b",
    r"^(?:pourquoi|comment|qui|que|quoi|quel(?:le)?s?|où|analyse|opinion|interview|entretien|"
    r"portrait|vidéo|photos|en images|tribune|édito)\b",
    r"^(?:por qué|cómo|quién|qué|cuál(?:es)?|opinión|análisis|entrevista|perfil|vídeo|video|"
    r"fotos|editorial)\b|^¿",
    r"^(?:por que|como|quem|o que|qual|opinião|análise|entrevista|perfil|vídeo|fotos|editorial)\b",
    r"^(?:perché|come|chi|cosa|che cosa|qual è|opinione|analisi|intervista|ritratto|video|foto|"
    r"editoriale)\b",
    r"(?:为什么|為什麼|如何|怎么|评论|分析|解读|专访|社评|观点|图集)|[？]\s*$",
)
_ANY = _Patterns(*_DIGEST.sources, *_LIVE.sources, *_COMMENTARY.sources)


def kind_of(title: str) -> Kind:
    """Return the kind of a headline."""
    title = title.replace("’", "'")
    if not _ANY.match(title):  # most headlines are news: one search instead of three
        return Kind.NEWS
    if _DIGEST.match(title):
        return Kind.DIGEST
    if _LIVE.match(title):
        return Kind.LIVE
    return Kind.COMMENTARY if _COMMENTARY.match(title) else Kind.NEWS
