"""Common words that sound like names, and match only a name of the same spelling. Data only.

English first, since most texts are English, then other languages.
"""

from functools import cache

from bot.text.fold import fold

_ENGLISH = """
a able about above accept account across act action actor add admit adult affair affect after again
against age agency agent ago agree ahead aid aim air alive all allow almost alone along already also
always am amid among amount an and anger angle angry animal another answer any anyone appeal appear
apply april are area arena argue arm army around arrest arrive arrived art as aside ask assault
asset at attack attend august author avoid award aware away baby back bad bag bail ball ban band
bands bank bans bar bare bare base basic basis bat batter battle be beach beam bear beat beauty
became because bed been beer before began begin behind being belief bell belly below belt bench
beneath benefit best bet better between beyond bid big bike bill bills bird birth bit bite black
blame blast blind block blog blood blow blue board boat body bold bomb bombs bond bone bones book
boom boost boot border bore born borrow boss both bottle bottom bought bound bowl box boy boys brain
branch brand brave bread break breath brick bride bridge brief bright bring broad broke broken
brother brought brown brush budget build built bullet burden burn burst bus bush business busy but
button buy by cable cake call called calls calm came camera cameras camp can cancel cancer candle
cannot cap capital car card care career cargo carry cars case cash cast castle cat catch caught
cause cave cell center central century certain chain chair champion chance change channel chaos
charge charity chart chase cheap cheat check cheer chess chest chief child choice choose chose
church cinema circle cite cited city civil claim class clean clear clerk clever client climb clinic
clock close cloth cloud club coach coal coast coat code coffee coin cold collapse collect college
color column combat come comes coming commence common company complain concern connect control cook
cool cop cope copy core corn corner corona correct cost costs cotton could council count counter
country county couple courage course court courts cousin cover covid cow crash crazy cream create
crew cricket crime crisis critic crop cross crowd crown cruel cruise cry cup cure current custom cut
cuts cyber cycle dad daily dairy damage dance danger dare dark data date dates daughter dawn day
days dead deadly deal dealer death debate debt debut decade december decide decline deep deer defeat
defend define degree delay demand dense deny depart depend depth deputy desert desk detail detect
develop device diary did die died diet differ digital dinner direct dirt dirty dish ditch divide do
doctor does dog dollar done door double doubt down dozen draft drag drain drama draw dream dress
drill drink drive driver drone drones drop drought drove drug drugs dry due duke during dust duty
each eager ear earlier early earn earth ease east easy eat echo edge edit effect effort egg eight
either elder elect elite else email emerge empire employ empty end enemy energy engage engine enjoy
enough enter entire equal era error escape estate even event ever every exact exam excuse exile
exist exit expect expert explain export extra eye face fact factor fail failed fair faith fall false
fame family famous fan fans far fare farm fast fat fatal fate father fault favor fear feature
february fed fee feed feel feet fell fellow felt female fence few field fierce fight figure file
fill film final find fine finger finish fire firm first fish fit five fix flag flame flat fled flee
flesh flight flood floor flow flower fly focus fold follow food fool foot for force foreign forest
forget form former fort forth forum forward found founder four frame fraud free freeze fresh friday
friend from front fruit fuel full fun fund funny fury future gain game games gang gap garden gas
gate gather gave gay gaze gear gender general gentle get ghost giant gift girl girls give given glad
glass global glory go goal goat god gods going gold golden gone good got grab grace grade grain
grand grant grass grave gray great green grey grief ground group grow growth guard guess guest guide
guilt guilty gun gut guy habit had hail hair half hall halt hand hands hang happen happy harbor hard
harm harsh has hat hate have haven head heal health hear heard heart heat heavy heel height hell
hello help hence her herd here hero hers hidden hide high hill him hint hip hire his hit hold hole
holiday holy home honest honor hope horror horse host hostage hot hotel hour hours house how huge
human humor hundred hunger hungry hunt hurt husband ice idea ideal idle if ill image impact import
in income indeed index inner input inquiry inside intend into invest invite iron is island issue it
item its itself jail january jet job jobs join joint joke journal journey joy judge juice july jump
june junior jury just justice keen keep kept key kick kid kids kill killed killer killing kind king
kiss kit kitchen knee knew knife knock know known lab labor lack lady laid lake land lane language
large laser last late later latest latter laugh launch law lawn lawsuit lawyer lay layer lazy lead
leader leaf league leak lean learn lease least leave led left leg legal lens less lesson let letter
level liar life lift light like likely limit line link lion lip list listen little live liver load
loan local lock lone long look loose lord lose loss lost lot loud love lover low loyal luck lucky
lunch lung mad made magic mail main major make maker male man manage manner many map march mark
market marry mask masked mass master match mate matter may maybe mayor me meal mean means meant
measure meat medal media medical meet melt member memory men mental mention menu mere mess message
met metal meter method middle might mild mile military milk mill million mind mine minister minor
minute mirror miss missile mission mistake mix mob mobile mode model modern modest mom moment monday
money monitor month months mood moon moral more morning most mother motion motor mount mouse mouth
move movie much mud murder muscle museum music must mutual my myself myth naked name narrow nation
native nature near nearly neck need neighbor neither nerve net never new news next nice night nine
no nobody noise none noon nor normal north nose not note nothing notice novel november now nuclear
number nurse obey object obtain occur ocean october odd odds of off offer office often oil okay old
on once one only onto open opera oppose option or oral orange order organ origin other ought our out
outer over owe own owner pace pack page paid pain paint pair palace pale panel panic pant paper
parade pardon parent park part partner party pass past path patient pattern pause pay payment peace
peak peer pen people per percent perfect perhaps period permit person phase phone photo phrase pick
picture piece pig pilot pink pipe pit pitch place plague plain plan plane planet planned plant
plastic plate play player plea please pledge plenty plot plus pocket poem poet point poison pole
police policy poll polls pool poor pop pope port pose post pot pound pour power praise pray prayer
prefer press pretty price pride priest prime prince print prior prison private prize pro probe
problem produce profile profit program project promise proof proper protect protest proud prove
provide province public pull pump punch pure purge purple purpose push put quake quality queen quest
question quick quiet quit quite quote race racial racist radar radio rage raid rail rain raise rally
ramp ran range rank rape rapid rare rate rates rather raw reach react read ready real reason rebel
recall recent record red reform refuse region reject relax relay release relief rely remain remark
remove rent repair repeat reply report rescue rest result retail retire return reveal review reward
rich ride rifle right ring riot rise risk rival river road rob robot rock rocket role roll roof room
root rope rose rough round route row royal rugby ruin rule ruler rules run rural rush sad safe
safety said sail salary sale sales salt same sand sat save saw say says scale scaled scan scandal
scare scene school science scope score scores scream screen script sea seal search season seat
second secret section sector secure see seed seek seem seen self sell send senior sense sent series
serious serve service set settle seven several severe sex sexual shade shadow shake shall shame
shape share shares shark sharp she shed sheep sheet shelf shell shelter sheriff shift shine ship
ships shirt shock shoe shoot shop shops shore shores short shorts shot should shout show shower
shrink shut sick side siege sight sign signal silence silent silver simple sin since sincere sing
singer single sink sir sister sit site six size skill skin skip sky slate slave sleep slice slide
slight slim slip slow small smart smell smile smoke smooth snake snow so soap soccer social soft
soil sold soldier sole solid solo solve some son song soon sorry sort soul sound source south space
spare spares spark speak special speech speed spell spend spent spin spirit spite split spoke sport
sports spot spray spread spring spy square squad stable staff stage stake stand star stars start
state status stay steal steam steel step stick still stock stolen stone stood stop store storm story
strange stream street stress strict strike string strip stroke strong struck student studio study
stuff style subject submit succeed such sudden sue suffer sugar suggest suicide suit sum summer
summit sun sunday sunshine super supply support suppose sure surface surge survey suspect sweep
sweet swift swim switch sword symbol system table tackle tactic tail take taken tale talent talk
talks tall tank tanks tap target task taste tax taxes tea teach teacher team tear tears tech teen
teeth tell ten tend tender tennis tension tent term terms terrain terror test text than thank that
the theft their them theme then theory there these they thick thief thin thing things think third
thirty this those though thought threat three threw throat through throw thus ticket tide tie tiger
tight till time times tiny tip tired title to today together told tomb tomorrow ton tone tonight too
took tool tools top topic torture total touch tough tour tourist toward tower town toy trace track
trade trail train transfer trap trash travel treat treaty tree tremor trend trial tribe trick trip
troop troops trouble truck true trust truth try tune tunnel turn twelve twenty twice twin twist two
type ugly under union unique unit unite unity until up upon upper urban urge urged us use used user
usual vacant valley value van vast verdict very vessel veteran via victim victory video view vine
wean village violence violent virus visa vision visit vital voice volume vote voter wage wages wait
wake walk wall want war ward warm warn warning was wash waste watch water wave waves way weak wealth
weapon wear weather web wedding week weeks weigh weight welcome well went were west wet what wheel
when where whether which while whip white who whole whom whose why wide wife wild will win wind
window wine wing winner winter wire wise wish with within witness woe woke woman women won wonder
wood word words work world worry worse worst worth would wound wrap wreck write writer wrong wrote
yard year years yellow yes yet yield you young younger your youth zero zone
"""
_DEMONYMS = """
afghan african albanian algerian american arab argentine armenian asian australian austrian azeri
bahraini belgian brazilian british bulgarian canadian chilean chinese colombian cuban czech danish
dutch egyptian english estonian ethiopian european finnish french georgian german germans ghanaian
greek hungarian icelandic indian indonesian iranian iraqi irish israeli israelis italian japanese
jordanian kenyan korean kurdish kuwaiti latvian lebanese libyan lithuanian malaysian mexican
moldovan mongolian moroccan nepali nigerian norwegian omani pakistani palestinian peruvian
philippine polish portuguese qatari romanian russian russians saudi scottish serbian serb slovak
slovenian somali spanish sudanese swedish swiss syrian thai tunisian turk turkish ukrainian uzbek
vietnamese welsh yemeni antarctic arctic chili siri hindi inde roman latin sami turki
"""
_OTHERS = """
aber alle alles als alt andere auch auf aus bald bei beim bereits bis bleibt damit dann das dass dem
den der des deutsch die dieser doch dort drei durch ein eine einen einer eines er erste erst es etwa
fast frau fur ganz gegen geht geld gibt gut hat haben hatte heute hier ihm ihr ihre im immer ist
jahr jahre jahren jetzt kann kein keine kinder kommt konnte krieg land lange leben mann mehr mein
mit muss nach nacht neu neue neuen nicht noch nun nur ob oder ohne polizei rund schon sehr sei seit
sich sie sind so soll sollen stadt tag tage teil tod tote uber um und uns unter viel viele vom von
vor wegen weil weit welt wenn wer werden wie wieder will wird wir wo wurde zeit zu zum zur zwei
zwischen ainsi apres au aussi autre autres avant avec avoir bien car ce ces cette chez comme contre
dans depuis des deux dit dont du elle en encore entre est et etait ete etre eu fait faire femme
femmes fin fois fort guerre hier homme ici il ils jamais jour jours juin la le les leur lors lui
mais mal meme mere mois moins monde mort morts ne nous nouveau nouvelle on ont ou par paix pays
pendant pere peu plus point pour pourquoi premier pres quand que quel qui rien roi sa sans se selon
ses si soir sont sous sur tous tout toute tres trois un une vers vie ville voir vous ahora al algo
alla ano anos antes aqui asi aun cada casa casi ciudad como con contra cosa cual cuando de del desde
despues dia dias donde dos el ella ellos en entre era es esa ese eso esta estado estan este esto
forma fue gente gobierno gran guerra ha habia hace hacer han hasta hay hoy la lado las le los lugar
mas mejor menos mes mi mientras mismo mucho muerte muertos mujer mundo muy nada ni nino no nos nueva
nuevo nunca o otra otro para parte pero personas poco policia por porque primera puede que quien sea
segun ser si siempre sin sobre solo son su sus tambien tanto tiempo tiene toda todo todos tras tres
un una uno vez vida y ya yo alla anche ancora anni anno bene che chi ci citta cosa cosi da dal dalla
degli del della delle di dopo dove due era fa fatto fra gia gli governo guerra ha hanno il in io
italia la le lo loro ma mai meno mentre mio molto morte morti nel nella noi non nuovo ogni ora parte
per perche piu poi prima quale quando quello questa questo se sempre senza si sono sta stato stesso
su suo sua sulla tra tre tutti tutto una uno vita bir bu da daha de diye en gibi gore gun her icin
ile ilk iki ise kadar ki mi ne o olan olarak oldu son sonra var ve ya yeni yok
"""
_CYRILLIC_AND_ABJADS = """
район района районе районы районов городе города город страна страны стране года году год годы лет
день дня дней дни время времени люди людей человек после перед около через между также было были
была быть может могут нет это этот эта эти того том тому все всех свой свои они она оно его ему них
нас вас как так там тут где когда если или только уже еще более менее первый новый новая новое новые
старый сам сама само дом дома дело дела слова слово мир мира сила силы война войны удар удара удары
сын дочь отец мать брат рука руки глава главы право права закон суд суда мест место места центр
центре воды вода море моря река було були була бути може можуть немає цей ця ці того все всіх свій
вони вона воно його йому них нас вас як так там тут де коли якщо або тільки вже ще більше менше
перший новий нова нове нові старий день дня дні час часу люди людей роки року років країна країни
місто міста місті області область районі сили сила війна في من الى على عن مع هذا هذه ذلك تلك التي
الذي كان كانت يكون كيف ليس كما بعد قبل عند بين حول دون حتى منذ ثم قد لقد لكن او ان انه انها هو هي هم
نحن كل بعض غير يوم سنه عام عامه وقت حرب سلام مدينه رئيس دوله بلد ناس رجل امراه بيت باب ماء نار قال
قالت اليوم امس مساء صباح حي از به با در را که این ان برای تا بر هم یا اما اگر هر چه چون پس پیش روز
سال ماه شهر کشور مردم جنگ صلح بود شد است هست نیست کرد کرده شده گفت درگیری امروز دیروز של את על עם זה
זו הוא היא הם לא כן כי אם גם רק עוד כל מה מי איך איפה מתי אחרי לפני בין ליד יום שנה עיר ארץ בית איש
אמר אמרה הלילה היום אתמול
"""


@cache
def common_words() -> frozenset[str]:
    """Return all common words, folded."""
    return frozenset(map(fold, f"{_ENGLISH}{_DEMONYMS}{_OTHERS}{_CYRILLIC_AND_ABJADS}".split()))
