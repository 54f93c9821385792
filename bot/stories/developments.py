"""Words that say that something new has happened: resigned, called off, freed, arrested.

A headline that says so of a story of which nobody said it is a development, however similar it is:
"strike called off" is not "strike announced". Data and its lookup; what follows is decided in
`window`. The words were chosen for newsbell, by the kinds of events that news codings tell apart
(the CAMEO codebook: agree, yield, reject, coerce, fight), in the forms that headlines use.
"""

from collections.abc import Iterable
from functools import cache, lru_cache

import regex

from bot.text.fold import fold

# A star stands for any ending, `_` for a blank. Arabic words are found behind و, ف, ب, ل and ال.
_WORDS = {
    "called off": {
        "en": "called_off calls_off call_off cancel* scraps scrapped postpone* shelve* averted",
        "de": "abgesagt* absage* abgewendet* verschoben* gestrichen*",
        "es": "cancela* suspendid* desconvoca* aplaza* anula*",
        "fr": "annul* reporté reportée reportés levée",
        "ru": "отмен* отложен* отложи* предотвра* сорва*",
        "uk": "скасу* скасо* відмін* відклад* зірва*",
        "ar": "الغاء الغت الغى تاجيل ارجاء تعليق_الاضراب",
    },
    "resumed": {
        "en": "resum* restart* reopen* reignite*",
        "de": "wiederaufgenommen* wieder_aufgenommen wiederaufnahme fortgesetzt* nimmt_wieder",
        "es": "reanuda* reabre* reabri* reinicia*",
        "fr": "repren* reprise rouvre* rouvert*",
        "ru": "возобнов*",
        "uk": "віднов*",
        "ar": "استئناف استانف* تستانف يستانف تجدد* عودة",
    },
    "halted": {
        "en": "halt* suspend* suspension freez* froze* ban bans banned recall* revoke* shut_down "
        "shuts_down",
        "de": "gestoppt* stoppt* ausgesetzt* eingestellt* verbot* verbiete* "
        "zurückgerufen* rückruf*",
        "es": "detien* parali* suspende* prohíb* prohib* retira* congela*",
        "fr": "suspend* suspension interdi* rappel* gel gèle*",
        "ru": "приостан* запрет* запрещ* отозва* заморо* остановл* останавл* прекрат*",
        "uk": "призупин* заборон* відклика* заморо* зупин* припин*",
        "ar": "توقف تعليق حظر* وقف سحب تجميد",
    },
    "resigned": {
        "en": "resign* quit quits quitting steps_down step_down stepped_down stepping_down oust* "
        "sacked sacks fired dismiss*",
        "de": "tritt_zurück zurückgetreten* rücktritt* entlassen* entlässt abgesetzt*",
        "es": "dimit* dimis* renunci* destitu* cesad* cesa",
        "fr": "démission* limog* quitte*",
        "ru": "отставк* уволен* уволил* увольн* подал_в_отставку",
        "uk": "відставк* звільнен* звільнив* звільня*",
        "ar": "استقال* يستقيل تستقيل اقال* عزل",
    },
    "arrested": {
        "en": "arrest* detain* captured nabbed in_custody",
        "de": "festgenommen* festnahme* verhaft* gefasst*",
        "es": "detenid* arrest* captura* apresa*",
        "fr": "arrêté arrêtée arrêtés arrestation* interpell* capturé*",
        "ru": "арест* задерж* поймал* пойман*",
        "uk": "арешт* заарешт* затрима* упійма* впійма*",
        "ar": "اعتقال* اعتقل* توقيف القبض",
    },
    "charged": {
        "en": "charged indict* sued sues lawsuit* on_trial",
        "de": "angeklagt* anklage* verklagt*",
        "es": "acusad* imputad* demanda* procesad*",
        "fr": "inculp* mis_en_examen mise_en_examen",
        "ru": "обвинен* предъяв*",
        "uk": "звинувач* підозр*",
        "ar": "اتهام* توجيه_التهم",
    },
    "convicted": {
        "en": "convict* sentence* jailed acquit* guilty",
        "de": "verurteilt* freigesprochen* freispruch*",
        "es": "condenad* absuel* sentenciad*",
        "fr": "condamné* acquitt*",
        "ru": "приговор* осужден* оправдан*",
        "uk": "вирок* засудж* виправдан*",
        "ar": "ادان* حكم* براءة",
    },
    "freed": {
        "en": "freed frees free release* rescue* liberat*",
        "de": "befreit* freigelassen* frei gerettet* freilassung*",
        "es": "liber* rescata* rescate*",
        "fr": "libér* relâch* secouru* sauvé*",
        "ru": "освобо* спас*",
        "uk": "звільнили_заручник* визволи* врятува* звільнили",
        "ar": "اطلاق_سراح افراج تحرير انقاذ الافراج",
    },
    "seized": {
        "en": "hostage* abduct* kidnap* seize* captures",
        "de": "geisel* entführ* beschlagnahm*",
        "es": "rehen* secuestr* incauta*",
        "fr": "otage* enlèv* enlev* saisi*",
        "ru": "заложник* похищ* похити* захват*",
        "uk": "заручник* викрад* викрал* захоп*",
        "ar": "رهائن رهينة اختطاف خطف احتجاز",
    },
    "truce": {
        "en": "truce* ceasefire* cease_fire* armistice",
        "de": "waffenruhe* waffenstillstand* feuerpause*",
        "es": "tregua* alto_el_fuego armisticio",
        "fr": "trêve* cessez_le_feu armistice",
        "ru": "перемири* прекращени*_огня",
        "uk": "перемир* припинення_вогню",
        "ar": "هدنة وقف_اطلاق_النار",
    },
    "fighting": {
        "en": "shelling shelled clashes airstrike* bombard* offensive",
        "de": "beschuss beschossen* gefechte* luftangriff* offensive*",
        "es": "bombarde* combates ofensiva enfrentamientos",
        "fr": "bombard* combats offensive affrontements",
        "ru": "обстрел* бои боев* удар* наступлени* столкновени*",
        "uk": "обстріл* бої боїв удар* наступ* зіткнен*",
        "ar": "قصف اشتباكات غارات هجوم معارك",
    },
    "approved": {
        "en": "approv* authoris* authoriz* greenlight* ratif* clears cleared",
        "de": "genehmig* gebilligt* billigt* zugelassen* zulassung* beschlossen*",
        "es": "aprueb* aprob* autoriza* ratific*",
        "fr": "approuv* autoris* ratifi* adopte*",
        "ru": "одобр* утверд* разреш* ратифиц*",
        "uk": "схвал* затверд* дозвол* ратифік*",
        "ar": "موافقة وافق* اقر* تصديق",
    },
    "rejected": {
        "en": "reject* refus* veto* denie* votes_down voted_down block blocks blocked",
        "de": "abgelehnt* lehnt_ab ablehn* veto* verweiger* blockier*",
        "es": "rechaz* niega* veta* bloquea*",
        "fr": "rejet* refus* veto bloqu*",
        "ru": "отклон* отказа* отверг* вето заблокир*",
        "uk": "відхил* відмов* вето заблок*",
        "ar": "رفض* ترفض يرفض فيتو",
    },
    "agreed": {
        "en": "deal agree* accord",
        "de": "einigung einigen geeinigt* abkommen",
        "es": "acuerd*",
        "fr": "accord* entente",
        "ru": "соглашени* договорил* сделк*",
        "uk": "угод* домовил*",
        "ar": "اتفاق* توصل",
    },
    "further": {
        "en": "second third another fresh",
        "de": "zweite* dritte* weitere* erneut*",
        "es": "segund* tercer* otro otra",
        "fr": "deuxième* second* troisième* nouvel nouvelle",
        "ru": "второй вторая второе вторую третий еще очередн*",
        "uk": "другий друга друге другу третій ще чергов*",
        "ar": "ثان ثانية ثالث* اخر اخرى",
    },
    "survived": {
        "en": "surviv*",
        "de": "überlebt* überstanden* übersteht",
        "es": "sobreviv* supera",
        "fr": "surviv* survécu*",
        "ru": "выжил* пережил* уцелел*",
        "uk": "вижи* пережи* вцілі*",
        "ar": "نجا* ينجو تنجو",
    },
    "departed": {
        "en": "departs departed departure sets_sail withdraws withdraw* pull_out pulls_out",
        "de": "verlässt verlassen* abgereist* abreise rückzug* abzug*",
        "es": "abandona* partió retirada",
        "fr": "quitte* retrait",
        "ru": "покин* отбыл* уехал* отступ*",
        "uk": "залиш* відбув* виїха* вивед* відступ*",
        "ar": "يغادر غادر* مغادرة انسحاب",
    },
    "arrived": {
        "en": "arriv* lands landed",
        "de": "angekommen* eingetroffen* trifft_ein ankunft landet gelandet*",
        "es": "llega* aterriz*",
        "fr": "arrive* arriv* atterri*",
        "ru": "прибыл* прилетел* приземл*",
        "uk": "прибу* прилет* приземл*",
        "ar": "وصول وصل* يصل تصل",
    },
    "launched": {
        "en": "launch* fires_missile* test_fire*",
        "de": "gestartet* abgefeuert* startet",
        "es": "lanza* lanzó dispara*",
        "fr": "lance lancé* tire",
        "ru": "запуст* запуск*",
        "uk": "запуст* запуск*",
        "ar": "اطلاق_صاروخ اطلقت يطلق تطلق",
    },
    "retaliated": {
        "en": "retaliat* hits_back hit_back strikes_back reprisal* revenge",
        "de": "vergelt* schlägt_zurück rache",
        "es": "represali* venganza",
        "fr": "représaill* riposte* vengeance",
        "ru": "ответн* возмезди* месть отомст*",
        "uk": "відповідн*_удар* помст* відплат*",
        "ar": "انتقام رد_على",
    },
    "condemned": {
        "en": "condemn* denounc* mourn* tribute* apolog*",
        "de": "verurteilt_den verurteilt_die kondolier* entschuldig* trauer*",
        "es": "condena* lament* disculpa* luto",
        "fr": "condamne déplore* excus* deuil",
        "ru": "осудил* соболезн* извин* траур*",
        "uk": "засуди* співчут* вибач* жалоб*",
        "ar": "ادانة يدين تدين تعاز* اعتذ* حداد",
    },
    "sanctioned": {
        "en": "sanction* tariff*",
        "de": "sanktion* zölle*",
        "es": "sancion* arancel*",
        "fr": "sanction*",
        "ru": "санкци*",
        "uk": "санкці*",
        "ar": "عقوبات",
    },
    "investigated": {
        "en": "investigat* inquiry probe probes",
        "de": "ermitt* untersuch*",
        "es": "investiga*",
        "fr": "enquêt* enquête*",
        "ru": "расслед* проверк*",
        "uk": "розслід* перевірк*",
        "ar": "تحقيق* يحقق",
    },
    "won": {
        "en": "wins won elected re_elected victory",
        "de": "gewinnt gewonnen* gewählt* wahlsieg*",
        "es": "ganó elegid* victoria",
        "fr": "remporte* élu* réélu* victoire",
        "ru": "победил* избран* переизбран*",
        "uk": "перемог* перемаг* обран* переобран*",
        "ar": "فوز يفوز تفوز انتخاب",
    },
}
_ARABIC_PREFIXES = (
    *(f"{letter}{article}" for letter in ("و", "ف", "ب", "ل", "ك", "") for article in ("ال", "")),
    "لل",
)
_OPENING = 2  # letters of a word by which it is looked up


def developments(headline: str, language: str) -> frozenset[str]:
    """Return what a headline says has happened, by kind; empty for languages without words.

    Args:
        headline: folded words, separated by blanks.
        language: ISO 639-1; where it is empty, English.
    """
    language = language or "en"
    openings = _openings(language)
    kinds: set[str] = set()
    start = end = 0
    for word in headline.split(" "):
        # Few words begin an expression, and to search for all of them takes long.
        if (
            (opening := openings.get(word[:_OPENING]))
            and start >= end
            and word.startswith(opening)
            and (match := _pattern(language).match(headline, start))
        ):
            kinds.add(_KINDS[int(str(match.lastgroup)[1:])])
            end = match.end()
        start += len(word) + 1
    return shared(frozenset(kinds))


@lru_cache(1 << 10)
def shared(kinds: frozenset[str]) -> frozenset[str]:
    """Return a set that equals this one: many entries have the same, most have none."""
    return kinds


def prepare(languages: Iterable[str]) -> None:
    """Compile the expressions of these languages: with the first text it would hold others up."""
    for language in languages:
        if _openings(language or "en"):
            _pattern(language or "en")


_KINDS = tuple(_WORDS)


@cache
def _openings(language: str) -> dict[str, tuple[str, ...]]:
    """What a word begins with that can be the first of an expression, by its first letters."""
    openings: dict[str, set[str]] = {}
    for words in _WORDS.values():
        for word in words.get(language, "").split():
            first = fold(word.strip("_").partition("_")[0].partition("*")[0])
            for prefix in _ARABIC_PREFIXES if language == "ar" else ("",):
                opening = prefix + first
                openings.setdefault(opening[:_OPENING], set()).add(opening)
    return {letters: tuple(sorted(words)) for letters, words in openings.items()}


@cache
def _pattern(language: str) -> "regex.Pattern[str]":
    groups = [
        f"(?P<k{number}>{'|'.join(_expression(word, language) for word in words.split())})"
        for number, kind in enumerate(_KINDS)
        if (words := _WORDS[kind].get(language))
    ]
    return regex.compile(rf"(?<!\S)(?:{'|'.join(groups)})(?!\S)")


def _expression(word: str, language: str) -> str:
    expression = fold(word.strip("_").replace("_", " ")).replace("*", r"\S*")
    return f"(?:{'|'.join(_ARABIC_PREFIXES)}){expression}" if language == "ar" else expression
