"""Names of persons whose usual spellings are known, a line each. Data only.

Given names with several spellings within one script, each of which a language knows as a word of
its own, and surnames that other scripts write as they are spoken, and not as they are spelled.
"""

from functools import cache

from bot.text.fold import fold

_FAMILIES = """
trump трамп ترامب ترمب ترمپ טראמפ טרמפ 特朗普 川普 トランプ 트럼프
biden байден بايدن بایدن ביידן 拜登 バイデン 바이든
johnson джонсон جونسون ג'ונסון 约翰逊
putin путин путін بوتين پوتین פוטין 普京 プーチン 푸틴
musk маск ماسك ماسک מאסק 马斯克 マスク 머스크
vance вэнс венс فانس ونس ואנס 万斯
bush буш بوش בוש 布什
reagan рейган ريغان ریگان רייגן 里根
churchill черчилль черчилл تشرشل چرچیل צ'רצ'יל 丘吉尔
hamas хамас حماس חמאס 哈马斯 ハマス 하마스
mohammed mohammad mohamed mohamad muhammad muhammed muhamad muhamed محمد мухаммед мухаммад мохаммед
ahmed ahmad achmed achmad ahmet ahmat akhmed akhmad أحمد ахмед ахмад ахмет
hussein hussain husein husain hossein hosein hussien husayn hosain husseyn huseyin حسین حسين хусейн
hassan hasan hassane hasen حسن хасан гасан
ali aly علي علی али
omar umar omer ömer عمر омар умар
khaled khalid chaled chalid halid halit خالد халед халид
youssef yousef yusuf yusef yousuf yousaf yusof jusuf josef youcef يوسف یوسف юсуф юсеф
ibrahim ebrahim ibraheem brahim ابراهيم ابراهیم ибрагим ибрахим
mustafa mostafa moustafa moustapha mustapha مصطفى مصطفی мустафа
abdullah abdallah abdulla abdalla abdoulaye عبدالله абдулла абдалла
rashid rasheed rachid raschid raşit راشد рашид
saeed said saïd sayeed saeid saied سعيد سعید саид
karim kareem كريم کریم карим
hamid hameed حميد حمید хамид
jamal gamal djamal dschamal جمال джамаль гамаль
jamil jameel djamil جميل جمیل
nasser naser nasir nassir ناصر насер
mahmoud mahmud mahmood mehmood machmud محمود махмуд
tariq tarek tarik tareq طارق тарик тарек
fatima fatma fatimah fatemeh fadima فاطمة فاطمه фатима
aisha aicha ayesha aysha aische عائشة عایشه аиша
zainab zeinab zaynab zineb زينب زینب зейнаб
maryam mariam meryem miriam myriam مريم مریم мариам
amir ameer emir أمير امیر амир
hisham hicham hischam هشام хишам
walid waleed oualid ولید وليد валид
anwar anouar enver أنور انور анвар
bashar baschar bachar بشار башар
osama usama oussama ousama أسامة اسامه усама осама
sergey sergei sergej serguei sergueï serhii serhiy serhij сергей сергій
alexei aleksei alexey aleksey alexej aleksej oleksii oleksiy алексей олексій
dmitry dmitri dmitrij dimitri dmitriy dmytro дмитрий дмитро
yuri yury juri jurij iouri yurii yuriy юрий юрій
evgeny yevgeny evgeni yevgeni jewgeni jevgenij yevhen евгений євген
mikhail michail mikhaïl mihail mykhailo михаил михайло
nikolai nikolay nikolaj nikolaï mykola николай микола
andrei andrey andrej andriy andrii андрей андрій
vladimir wladimir volodymyr vladímir владимир володимир
"""


#: Latin spellings of them that count in one language only, behind it.
_OF_LANGUAGES = {"fr": {"putin": "poutine"}, "nl": {"putin": "poetin"}, "hu": {"putin": "putyin"}}


def spelling_in(name: str, language: str) -> str:
    """Return the spelling of a folded name in a language, empty where it has none of its own."""
    return _OF_LANGUAGES.get(language, {}).get(name, "")


def spellings_in_languages(name: str) -> frozenset[str]:
    """Return the spellings of a folded name that count in one language only, of all languages."""
    return frozenset(of[name] for of in _OF_LANGUAGES.values() if name in of)


@cache
def _families() -> dict[str, tuple[str, ...]]:
    lines = (tuple(map(fold, line.split())) for line in _FAMILIES.strip().split("\n"))
    return {word: line for line in lines for word in line}


def known_spellings(name: str) -> tuple[str, ...]:
    """Return all usual spellings of a folded name of one word; none where they are not known."""
    return _families().get(name, ())
