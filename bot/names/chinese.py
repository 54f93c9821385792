"""Chinese characters: readings in transcribed foreign names, pinyin. No words.

The tables follow the usual transcription of foreign names (Xinhua's tables and their Taiwanese
counterparts). Characters outside them are not part of a transcribed name.
"""

from functools import cache

from anyascii import anyascii

from bot.text.word_cache import word_cache

#: A syllable in the symbols of `bot.names.phonemes`, then its characters. Σ is r or l, which
#: Chinese does not tell apart.
_SYLLABLES = """
a 阿亚亞 ai 艾爱愛埃 an 安 o 奥奧欧歐 e 埃厄额額 n 恩 ba 巴芭 bai 拜 ban 班 bao 鲍鮑保 be 贝貝 ben
本 bi 比碧毕畢 bin 宾賓 bo 博波伯勃玻 bu 布 bΣ 卜 pa 帕帊 pai 派 pan 潘 pao 保 pe 佩珮彼 pi 皮比 po
坡波珀 pu 普 pΣ 蒲 pin 平 ma 马馬玛瑪 mai 迈邁麦麥 man 曼 me 梅 men 门門 mi 米密 min 明敏 mo 莫摩 m
姆 mu 穆慕 fa 法 fan 凡范樊 fe 费費菲 fi 菲 fo 福佛 Π 弗夫 fu 富 fen 芬 da 达達大 dan 丹 dai 戴代 de
德得 den 登邓鄧顿頓 di 迪底第 Ψi 季吉 Ψe 捷傑杰 din 丁 do 多 du 杜都 don 东東 t 特 ta 塔 tai 泰 tan
坦 tao 陶 te 特忒 ti 蒂提季 tin 廷 to 托陀 tu 图圖 tun 通 ton 通頓顿 ten 滕 na 纳納娜 nai 奈 nan 南
ne 内內涅 ni 尼妮 nin 宁寧 no 诺諾 nu 努 niu 纽紐 Σa 拉喇 Σai 莱萊来來赖賴 Σan 兰蘭 Σao 劳勞 Σe
莱萊列烈雷勒 Σen 伦倫 Σi 利里莉黎 Σin 林琳 Σo 洛罗羅萝蘿 Σu 卢盧鲁魯路 Σiu 柳留 Σian 良連连 Σ 尔爾勒
Σei 雷 ga 加迦 gai 盖蓋 gan 甘 gao 高 ge 格盖蓋 gen 根 gi 吉 go 戈哥 gu 古 guan 关關 Γa 加 ka 卡喀
kai 凯凱 kan 坎 kao 考 ke 克科凯 k 克 ken 肯 ki 基奇 kin 金 ko 科柯 ku 库庫 kua 夸 kui 奎 kun 昆 xa
哈 xai 海 xan 汉漢罕 xe 赫黑 xen 亨 Θe 格 xi 希黑 xo 霍 xu 胡 xun 洪 xua 华華 yi 伊 i 伊依意 in 因英
Φi 希锡錫西 Φa 夏 Φin 辛欣 Φo 肖 Ja 贾賈加 Ji 吉季济濟基 Jin 金津 Jo 焦乔喬 Ju 朱久 Jan 詹坚堅 Jun
君 Ca 恰查 Cai 柴 Can 昌 Ce 切車车彻徹 Cen 琴 Ci 奇齐齊 Co 乔喬 Cu 丘楚 Cun 春 C 奇 Cin 钦欽 Sa 沙莎
Sai 夏 San 尚珊 Se 舍谢謝 Sen 申盛 Si 希什西 S 什 So 绍紹肖 Su 舒修 Sun 顺順 Zu 茹朱 Za 扎 Ze
热熱泽澤 Zi 日 Zo 若 ZΣ 日 za 扎紮 zai 宰 zan 赞贊 ze 泽澤策 zen 曾 zi 齐 z 兹茲 zo 佐 zu 祖 cu 楚
ca 察 ce 采策 ci 齐齊奇 c 茨 cen 岑 co 措 cin 钦欽 sa 萨薩 sai 赛賽塞 san 桑 se 塞色瑟 sen 森 si
西锡錫 sin 辛 so 索 su 苏蘇 s 斯思丝絲 sun 孙孫 ΩΣ 乌烏 wa 瓦 wai 怀懷 wan 万萬 we 韦韋维維 wen
文温溫 vi 维維威 vei 韦韋 vo 沃 vu 武 wi 威 u 乌烏伍 wo 沃 ya 亚亞雅 yan 扬揚杨楊 yao 姚 ye 叶葉耶
yo 约約尧堯 yu 尤于裕 yun 云雲 yuan 元 yen 延 yin 因英 iu 尤 ia 亚亞 son 松宋 Σon 隆龙龍 kon 孔 gon
贡貢 moz 莫 bei 拜 hon 洪 xon 洪 us 乌 novo 新 staro 旧舊 be 別别柏 kan 康 Ψa 佳 ne 聂聶 Π 甫 s 士
Γin 京 Zen 任 Γan 江 na 那 mu 牟木缪繆 o 敖 bai 白 Jen 真珍 gu 谷古 Cin 青 xan 汗杭 po 颇頗 Σio 廖略
mio 苗 Σi 礼禮立歷历 Zan 然 ze 则則 So 邵 ta 鞑韃 tan 靼唐汤湯 yu 游 ya 娅婭 ve 卫衛 me 美 xe 合 Σin
灵靈 Su 叙敘许許 Cu 秋 su 速 nan 男 men 缅緬 sa 撒 i 义義 ba 霸 Σu 留吕呂 Ξu 久 ban 邦 pen 彭 pan
庞龐 mon 蒙 man 芒 non 农農 Σan 朗 gua 瓜 gi 圭 go 果 xo 豪 wi 惠 sen 僧 san 圣聖 tu 土 tun 屯 wan
旺 on 翁 San 香 Θiu 休 sun 逊遜 yon 永 zan 藏 Jan 章 Je 哲 Ji 芝治 Jon 忠 Juan 庄莊 Jo 卓 zon 宗 zun
尊 Se 歇 Ce 彻徹 do 朵 fei 斐 ka 嘎 mo 墨 Σa 腊臘 kua 跨
"""
#: The likeliest reading of a character with several.
_LIKELIEST = """
Γe 格 Γo 戈 Γa 加 Γi 吉 Ψi 季基 Ci 奇 Φi 希西 te 特 ke 克 Σ 尔爾 Zi 日 Ze 热熱 Ξa 扎 Ξe 泽澤 Ξ 兹茲
u 乌烏 vi 维維 ve 韦韋 Φe 谢謝 Θe 赫黑 Θa 哈 Θo 霍 Θu 胡 va 瓦 vo 沃 ci 齐齊 ya 亚亞 bi 比 bo 波 pa
保 da 大 Σe 勒莱萊 Π 夫弗 e 埃 i 伊 Cu 楚 Jo 乔喬 Ψe 捷傑杰 S 什 Ce 切 de 德 n 恩 m 姆 s 斯 c 茨 se
塞赛賽 So 肖
"""
#: The pinyin of all characters: the beginning of syllables, and their ends on the same line. To ask
#: anyascii for each character takes longer than all else of a name.
_PINYIN = """
- a ai an ang ao e ei en eng er m o ou
b a aak ai an ang ao ei en eng i ian iao ie in ing o u
c a ai an ang ao e en eng i ong ou u uan ui un uo
ch a ai an ang ao e en eng i ong ou u ua uai uan uang ui un uo
d a ai an ang ao e en eng i ia ian iao ie ing iu ong ou u uan ui un uo
f a an ang ei en eng iao o ou u
g a aa ai an ang ao e ei en eng ong ou u ua uai uan uang ui un uo waan
h a ai an ang ao e ei en eng m ong ou u ua uai uan uang ui un uo
j i ia ian iang iao ie in ing iong iu u uan ue un
k a ai an ang ao e ei en eng ong ou u ua uai uan uang ui un uo
l a ai an ang ao e ei eng i ia ian iang iao ie in ing iu o ong ou u uan ue un ung uo
m a ai an ang ao e ei en eng i ian iao ie in ing iu o ou u
n a ai an ang ao e ei en eng g i ian iang iao ie in ing iu ong ou u uan ue un uo
p a ai an ang ao ei en eng i ian iao ie in ing o ou u
q i ia ian iang iao ie in ing iong iu u uan ue un
r an ang ao e en eng i ong ou u ua uan ui un uo
s a ai an ang ao ap e en eng i ong ou u uan ui un uo
sh a ai an ang ao e ei en eng i ou u ua uai uan uang ui un uo
t a ai an ang ao e eng i ian iao ie ing ong ou u uan ui un uo
w a ai an ang ei en eng o u
x i ia ian iang iao ie in ing iong iu u uan ue un
y a an ang ao e i in ing o ong ou u uan ue un
z a ai an ang ao e ei en eng i ong ou u uan ui un uo
zh a ai an ang ao e en eng i ong ou u ua uai uan uang ui un uo
"""


def _table(rows: str) -> dict[str, str]:
    cells = rows.split()
    readings: dict[str, str] = {}
    for syllable, characters in zip(cells[::2], cells[1::2], strict=True):
        for character in characters:
            readings.setdefault(character, syllable)
    return readings


@cache
def _readings() -> dict[str, str]:
    """Phonemes of all characters that transcribe foreign names."""
    return _table(_SYLLABLES) | _table(_LIKELIEST)


@word_cache(32768)
def reading(character: str) -> str:
    """Return the phonemes of a character that transcribes foreign names, empty for any other."""
    return _readings().get(character, "")


@word_cache(32768)
def pinyin(character: str) -> str:
    """Return the lower-case pinyin of a character without tone, empty where it has none."""
    return anyascii(character).strip().lower()


@cache
def pinyin_syllables() -> frozenset[str]:
    """Return the pinyin of all characters, as anyascii writes it."""
    rows = (row.split() for row in _PINYIN.strip().split("\n"))
    return frozenset(first.strip("-") + end for first, *ends in rows for end in ends)
