"""Stop words, words that are common in all news, number words. Data only, chosen for newsbell.

A window that has just begun has no document frequencies yet and would take "says" for a rare term;
common words therefore start with a prior.
"""

from functools import cache

from bot.text.stem import stems

_STOP_WORDS = {
    "en": """
        a an the and or but if of to in on at by for with from as is are was were be been being it
        its this that these those he she they them his her him their we our us you your i my me not
        no nor so than then there here what which who whom whose when where why how all any both
        each more most other some such only own same too very can will just should now has have had
        do does did would could may might must up out about after before over under again into
        against between during through amid among while until because since say says said saying new
        s t re ve ll d m also still yet per via off down around according
    """,
    "ru": """
        и в во не что он на я с со как а то все она так его но да ты к у же вы за бы по только ее
        мне было вот от меня еще нет о об из ему теперь когда даже ну ли если уже или ни быть был
        него до вас нибудь опять уж вам ведь там потом себя ничего ей может они тут где есть надо
        ней для мы тебя их чем была сам чтоб без будто чего раз тоже себе под будет ж тогда кто этот
        того потому этого какой при них этом эти для после более через над про всего между также это
        из-за около стал стали стало стала которые который которая сообщил сообщили сообщает заявил
        заявила заявили рассказал рассказали рассказала свой свою своих
    """,
    "uk": """
        і й та в у на з із зі що не як до за про від для по при це цей ця ці його її їх він вона
        вони ми ви я а але або чи також ще вже після через під час був була було були є бути над між
        без тільки який яка які коли де якщо щоб так там тут усі все всі раз проти повідомив
        повідомили повідомляє заявив заявила розповів розповіли розповіла свій свою своїх
    """,
    "ar": """
        في من إلى على عن مع أن إن كان كانت هذا هذه ذلك التي الذي الذين ما لا لم لن قد بعد قبل بين
        عند حتى منذ خلال ضد حول أو ثم و هو هي هم كما بل غير كل أي أنه أنها إنه إنها عبر دون نحو أمام
        وفق قال قالت يقول أكد أعلن أعلنت اليوم
    """,
    "de": """
        der die das den dem des ein eine einen einem einer eines und oder aber in im an am auf aus
        bei beim mit nach von vom vor zu zum zur für über unter gegen durch um ist sind war waren
        wird werden wurde wurden hat haben hatte sein seine seinen seiner ihr ihre ihren es er sie
        wir ich nicht kein keine auch als wie so noch nur schon nun jetzt mehr sich dass was wer wo
        wenn weil bis seit ab soll will kann können muss neue neuen neuer neues laut zwischen
        während
    """,
    "fr": """
        le la les l un une des du de d à au aux et ou mais en dans sur sous par pour avec sans
        contre
        vers chez est sont était ont a été être avoir fait ce cet cette ces qui que qu quoi dont où
        il elle ils elles on nous vous je se s sa son ses leur leurs ne n pas plus moins très après
        avant depuis entre pendant selon comme si y c j m t nouveau nouvelle nouveaux aussi tout
        tous toute
    """,
    "es": """
        el la los las un una unos unas de del al a y e o u pero en con sin por para sobre bajo entre
        contra desde hasta hacia según es son era fue fueron ha han había ser estar está están este
        esta estos estas ese esa eso que qué quien quién cual cómo como cuando donde se su sus le
        les lo no ni más menos muy ya también tras ante durante porque si nuevo nueva nuevos dice
        asegura
    """,
    "pt": """
        o a os as um uma uns umas de do da dos das em no na nos nas e ou mas com sem por para pelo
        pela sobre entre contra desde até após é são foi foram era ser está estão tem têm que quem
        qual como quando onde se seu sua seus suas ao aos à às não mais menos muito já também este
        esta isso diz novo nova
    """,
    "it": """
        il lo la i gli le l un uno una di del dello della dei degli delle d a al allo alla ai agli
        alle da dal dalla dai in nel nella nei con su sul sulla per tra fra e ed o ma è sono era ha
        hanno che chi cui come quando dove non più meno molto già anche si suo sua suoi dopo prima
        contro ecco c nuovo nuova
    """,
    "nl": """
        de het een en of maar in op aan van met voor door bij naar uit over onder tegen is zijn was
        waren wordt worden heeft hebben niet geen ook als dan dat die dit deze er te om tot na nog
        wel meer nieuwe zich hij zij ze
    """,
    "pl": """
        i w we na z ze do o u od po za przed nad pod przy dla przez że się nie jest są był była było
        być to ten ta te jak co kto gdy czy ale lub oraz już jeszcze tylko także jego jej ich
    """,
    "tr": (
        "ve ile bir bu şu o da de mi için gibi kadar daha çok en ne ki olan olarak oldu sonra "
        "önce göre ya var yok"
    ),
    "zh": (
        "的 了 在 是 和 与 及 对 将 为 被 把 从 到 有 也 不 这 那 等 中 上 下 称 说 就 都 并 或 "
        "于 以 其 之 而 已 後 后 年 月 日"
    ),
}
_COMMON_WORDS = {
    "en": """
        year day week month time people man woman world country state government president minister
        leader official report first last two three four make take get go come see know call want
        tell ask use find give work plan show set talk back big top best live latest update watch
        video photo top high long home look need life old city police million group national public
        part number end start help hit face warn amid deal meet open monday tuesday wednesday
        thursday friday saturday sunday
    """,
    "ru": """
        год день неделя время человек люди мир страна россия власть президент министр глава область
        регион город москва новый первый два три млн тыс рубль район житель суд дело право работа
        решение слово отметить назвать сообщение
    """,
    "uk": (
        "рік день час людина країна україна влада президент міністр глава область місто новий "
        "перший два три млн тис район суд справа"
    ),
    "ar": "عام يوم رئيس وزير حكومة دولة مدينة جديد جديدة أول مليون شخص بسبب تصريح",
    "de": (
        "jahr tag woche zeit menschen mann frau welt land stadt regierung präsident minister "
        "polizei millionen erste zwei drei deutschland"
    ),
    "fr": (
        "an année jour semaine temps homme femme monde pays ville gouvernement président "
        "ministre police million premier première trois"
    ),
    "es": (
        "año día semana tiempo hombre mujer mundo país ciudad gobierno presidente ministro "
        "policía millón millones primer primera dos tres"
    ),
    "pt": (
        "ano dia semana tempo homem mulher mundo país cidade governo presidente ministro "
        "polícia milhão milhões primeiro primeira dois três"
    ),
    "it": (
        "anno giorno settimana tempo uomo donna mondo paese città governo presidente ministro "
        "polizia milioni primo prima due tre"
    ),
}

# From two on, since "one" is also an article. Inflected forms of a number are separated by slashes.
_NUMBER_WORDS = {
    "en": "two three four five six seven eight nine ten eleven twelve",
    "ru": (
        "два/две/двух/двое три/трех/трое четыре/четырех/четверо пять/пяти/пятеро шесть/шести "
        "семь/семи восемь/восьми девять/девяти десять"
    ),
    "uk": (
        "два/дві/двох/двоє три/трьох/троє чотири/чотирьох п'ять/п'яти/п'ятеро шість/шести "
        "сім/семи вісім/восьми дев'ять десять/десяти"
    ),
    "de": "zwei drei vier fünf sechs sieben acht neun zehn elf zwölf",
    "fr": "deux trois quatre cinq six sept huit neuf dix onze douze",
    "es": "dos tres cuatro cinco seis siete ocho nueve diez once doce",
    "pt": "dois/duas três quatro cinco seis sete oito nove dez onze doze",
    "it": "due tre quattro cinque sei sette otto nove dieci undici dodici",
    "pl": (
        "dwa/dwie/dwóch trzy/trzech cztery/czterech pięć/pięciu sześć/sześciu siedem osiem "
        "dziewięć dziesięć"
    ),
    "tr": "iki üç dört beş altı yedi sekiz dokuz on",
    "ar": (
        "اثنان/اثنين ثلاثة/ثلاث أربعة/أربع خمسة/خمس ستة/ست سبعة/سبع ثمانية/ثماني تسعة/تسع عشرة/عشر"
    ),
}

#: The first stem of each common Ukrainian word: to ask for them would load a dictionary of 28 MB.
_UKRAINIAN_STEMS = (
    "ріка день час людин країна україна влада президент міністр глава область місто новий перший "
    "два терти млн тис район суд справа"
)

PRIOR_ENTRIES = 70  #: entries that the prior stands for
PRIOR_FREQUENCY = 6  #: how many of these contain each common word


@cache
def stop_words(language: str) -> frozenset[str]:
    """Return the stop words of a language in lower case; of English where it is unknown."""
    return frozenset(_STOP_WORDS.get(language or "en", "").split())


@cache
def prior_frequencies() -> dict[str, int]:
    """Return the prior document frequency of each stem of a common word."""
    frequencies = {
        stem: PRIOR_FREQUENCY
        for language, text in _COMMON_WORDS.items()
        if language != "uk"
        for word in text.split()
        for stem in stems(word, language)[:1]
    }
    return frequencies | dict.fromkeys(_UKRAINIAN_STEMS.split(), PRIOR_FREQUENCY)


@cache
def number_words(language: str) -> dict[str, str]:
    """Return the words for small numbers with their digits."""
    forms = _NUMBER_WORDS.get(language or "en", "").split()
    numbers = {
        form: str(number) for number, words in enumerate(forms, 2) for form in words.split("/")
    }
    # The English word is no article, as those of other languages are: notice one is not notice two.
    return numbers | ({"one": "1"} if (language or "en") == "en" else {})
