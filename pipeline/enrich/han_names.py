"""Chinese names that no list holds: by surnames and the characters that write foreign names, and by what stands around.

Chinese has neither capitals nor spaces, so that a rule needs a beginning and an end: a title before, an age or a verb
of saying after, a dot within, a head such as 委员会 at the end. What one place proves, holds for the whole article.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import chain
from typing import Final, NamedTuple

from pipeline.article import EntityKind
from pipeline.enrich.gazetteer import Found, Gazetteer

HAN: Final = re.compile("[\u4e00-\u9fff]")


def _words(listed: str) -> frozenset[str]:
    return frozenset(listed.split())


MAX_NAMES: Final = 200
"""Different ones that an article's other places are looked through for."""

_FOREIGN: Final = (
    "阿埃艾爱安昂奥澳巴拜班邦保鲍贝本比彼毕宾波博伯布查察茨达戴丹德登邓迪蒂丁杜敦多厄恩尔法范菲费芬佛弗夫福富盖甘冈"
    "戈格葛古瓜哈汉豪赫黑亨洪胡霍基吉季济加贾简杰津卡凯坎考科克肯孔库夸奎昆拉莱赖兰郎朗劳勒雷蕾黎里利丽莉列林琳卢鲁"
    "露伦罗洛吕玛迈麦曼芒毛梅蒙孟米密敏摩莫默姆穆纳娜乃奈内尼妮宁纽努诺欧帕派潘庞培佩彭皮珀普奇齐恰乔切钦琼茹瑞若撒"
    "萨塞桑森沙珊绍舍圣施什史舒斯丝苏索塔泰坦唐汤特腾提廷汀图托瓦万旺威韦维魏温翁沃乌武西希锡夏肖谢辛欣休许雅亚扬杨耶"
    "叶伊易因英尤约宰赞泽曾詹扎珍芝兹朱祖佐瑟娃妲缇薇娅黛莎茜媞姬琪碧翠萝莲妃佳忒滕菈顿连涅盛代洼蔡柯葡"
)
"""Characters that foreign names are written with, without those that as often begin the word behind the name."""
_FOREIGN_MORE: Final = (
    _FOREIGN + "明文金东道高南日山马木门龙隆路柳留理农让仁荣申通土章卓开康江海华当罕彻楚曲涅策蓬寇莉歇白"
)
_SURNAME: Final = (
    "李王张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗梁宋郑谢韩唐冯于董萧程曹袁邓许傅沈曾彭吕苏卢蒋蔡贾丁魏薛叶阎余潘杜戴夏"
    "钟汪田任姜范方石姚谭廖邹熊金陆郝孔白崔康毛邱秦江史顾侯邵孟龙万段雷钱汤尹黎易常武乔贺赖龚文颜尚洪柯庄严施章鲁翁"
    "符蓝骆梅盛童樊葛纪习岑祝陶倪殷翟温齐"
)
_TITLE: Final = (
    "顾问|室长|长官|总统|首相|总理|外长|部长|财长|防长|主席|议长|州长|市长|国王|女王|王储|教授|博士|发言人|领导人|首领|总裁|院长|主任|议员|"
    "大使|特使|律师|秘书长|国务卿|司令|将军|法官|检察官|先生|女士|歌手|演员|导演|书记|会长|行长|局长|署长|校长|专员|代表"
)
_AFTER: Final = "说|表示|指出|认为|强调|透露|受访|告诉|宣布|呼吁|回应|补充|坦言|解释|警告|先生|女士|小姐|太太|医生|警官"
_BOUND: Final = (
    "在由的和与是据被向对为及了到从至于以给让把将等或并且但也又还就都称说见年月日一二三四五六七八九十个位名家所间该此这那其止受私"
    "各每有包括示后前时中里内外，。"
)

_TITLES: Final = frozenset(_TITLE.split("|"))
_DOTTED: Final = re.compile(rf"[{_FOREIGN_MORE}]{{1,7}}(?:[·•‧][{_FOREIGN_MORE}]{{1,7}}){{1,4}}(?:[一二三四]世)?")
_TITLED_FOREIGN: Final = re.compile(rf"(?:{_TITLE})([{_FOREIGN_MORE}]{{1,5}}[{_FOREIGN}白](?:[一二三四]世)?)")
_FOREIGN_BEFORE: Final = re.compile(rf"(?<![{_FOREIGN}])([{_FOREIGN}]{{3,6}})(?=(?:{_AFTER}))")
_NATIVE_NAME: Final = rf"(?:欧阳|司马|诸葛|上官|[{_SURNAME}])(?:[^\W\d_a-zA-Z]{{2}}|[^\W\d_a-zA-Z])"
_TITLED_NATIVE: Final = re.compile(rf"(?:{_TITLE})({_NATIVE_NAME})")
_NATIVE_BEFORE: Final = re.compile(rf"({_NATIVE_NAME})(?=（\d{{1,3}}岁|\(\d{{1,3}}岁|{_AFTER})")
_BRACKETS: Final = frozenset("（(")
_NOT_IN_NAMES: Final = frozenset("说在和与也是今昨将于对表指认的则及等就因并已出率称被从向为受这那都而且则不")

_HEAD: Final = re.compile(
    "(?:委员会|联合会|大学|学院|中学|小学|公司|集团|银行|法院|法庭|国会|议会|下议院|上议院|众议院|参议院|协会|中心|研究所|研究院|"
    "医院|航空|基金会|警察部队|警察局|总局|气象局|管理局|肃毒局|情报局|调查局|安全局|国务院|外交部|国防部|财政部|卫生部|内政部|"
    "贸工部|教育部|交通部|人力部|司法部|商务部|通讯社|电视台|新闻网|早报|时报|日报|晚报|邮报|共和党|民主党|工党|国民党|"
    "行动党|警卫队|革命卫队|国际组织|总商会|商会|工会|联盟|大会)(?![长生])"
)
_ALONE: Final = _words("""
国会 下议院 上议院 众议院 参议院 国务院 外交部 国防部 财政部 卫生部 内政部 贸工部 教育部 交通部 人力部 司法部 商务部
共和党 民主党 国民党 早报 国民警卫队 革命卫队
""")
_FAMOUS: Final = re.compile(
    "韩联社|共同社|时事社|朝中社|德新社|俄新社|埃菲社|马新社|安塔拉|今日俄罗斯|"
    "白宫|五角大楼|克里姆林宫|路透社|法新社|美联社|彭博社|新华社|中新社|塔斯社|半岛电视台|塔利班|真主党|哈马斯|伊斯兰国|"
    "联合国安理会|安理会|联合国大会|世界卫生组织|世卫组织|国际货币基金组织|世界银行|世界贸易组织|世贸组织|欧洲联盟|欧盟|北约|"
    "亚细安|东盟|二十国集团|七国集团|国际刑警组织|国际原子能机构|国际刑事法院|微信|微博|推特|脸书|面簿|抖音"
)
"""Agencies, seats of power and platforms that need no head."""
_OPENING_MARKS: Final = frozenset("《「“（")
_VAGUE: Final = _words("公司 集团 中心 联盟 大会 航空 工会 商会 协会 法庭")
"""Heads that only a place, or a longer name, makes a name of."""
_MANY: Final = _words("大学 中学 小学 学院 法院 银行 公司 医院 国会 议会")
"""Heads of which a country has many: "阿富汗大学" are its universities."""
_APART: Final = re.compile("[^\u4e00-\u9fff]|[在由的和与是据被向对为及了到从至于以给让把将等或并但也又都称说]")
_PLACE: Final = re.compile(
    rf"([{_FOREIGN_MORE}新北][{_FOREIGN_MORE}新北和]{{1,8}})(省|州|邦|县|镇|岛|群岛|半岛|市)(?!长|政府|民|委|场|面|值)"
)
_SAME_PLACE: Final = frozenset("市县岛") | {"群岛", "特别行政区"}
_REGION: Final = re.compile(
    "中东|东南亚|东亚|南亚|中亚|西亚|北非|东非|西非|拉丁美洲|加沙地带|约旦河西岸|大西洋|太平洋|印度洋|北冰洋|地中海|红海|黑海|"
    "里海|南中国海|波斯湾|台湾海峡|霍尔木兹海峡|马六甲海峡|苏伊士运河|巴尔干|高加索|克里米亚|顿巴斯|克什米尔"
)
_PLACE_SUFFIX: Final = re.compile("(?:特别行政区|群岛|省|州|邦|市|县|岛)(?!长|政府|民|委|场|面|值|际)")


class HanName(NamedTuple):
    """A stretch of Chinese text that names something."""

    start: int
    end: int
    kind: EntityKind
    rows: tuple[int, ...] = ()
    """Of the gazetteer, when it is a known name with more behind it."""


def han_names(text: str, hits: Sequence[Found], gazetteer: Gazetteer) -> list[HanName]:
    """Return the unlisted Chinese names in ``text``, in order, the longest where they overlap."""
    found = [
        *_organisations(text, hits),
        *_places(text, hits, gazetteer),
        *_people(text, hits),
        *_countries(text, gazetteer),
    ]
    found.sort(key=lambda name: (name.start, -name.end))
    kept: list[HanName] = []
    for name in found:
        if not kept or name.start >= kept[-1].end:
            kept.append(name)
        elif name.end - name.start > kept[-1].end - kept[-1].start:
            kept[-1] = name
    return kept


def _people(text: str, hits: Sequence[Found]) -> Iterator[HanName]:
    """Yield every place of the names that some place proves to be a person's."""
    listed = {hit.start for hit in hits}
    proven: dict[str, None] = {}
    for match in _DOTTED.finditer(text):
        end = match.end() - (text[match.end() - 1 : match.end() + 1] in _TITLES)
        yield HanName(match.start(), end, "person")
        proven.update((part, None) for part in re.split("[·•‧]", text[match.start() : end]) if len(part) > 1)
    for match in chain(_TITLED_FOREIGN.finditer(text), _FOREIGN_BEFORE.finditer(text)):
        name = match.group(1)
        proven[name[:-1] if len(name) > 2 and name[-1] == "曾" else name] = None  # "once" rather than "Zeng"
    for match in chain(_TITLED_NATIVE.finditer(text), _NATIVE_BEFORE.finditer(text)):
        name = "" if match.start(1) in listed else _native(match.group(1))  # "韩国来说"
        if len(name) > 2 or (name and text[match.end() : match.end() + 1] in _BRACKETS):
            proven[name] = None
    names = sorted(list(proven)[:MAX_NAMES], key=len, reverse=True)
    if names:
        for match in re.finditer("|".join(map(re.escape, names)), text):
            yield HanName(*match.span(), "person")


def _native(name: str) -> str:
    """Return a Chinese name without a character that belongs to the next word; empty when none is left."""
    for place in range(1, len(name)):
        if name[place] in _NOT_IN_NAMES:
            return name[:place] if place > 1 else ""
    return name


def _organisations(text: str, hits: Sequence[Found]) -> Iterator[HanName]:
    """Yield what ends in a head, from the place or the bound that it begins with, and what needs neither."""
    for match in _FAMOUS.finditer(text):
        yield HanName(*match.span(), "organisation")
    place = 0
    for match in _HEAD.finditer(text):
        end = match.end()
        earliest = max(0, match.start() - 10)
        while place < len(hits) and hits[place].start < earliest:
            place += 1
        start = _start_of(text, match.start(), earliest)
        start -= text.startswith("中央", start - 1)
        near = hits[place : place + 12]
        listed = next((hit for hit in reversed(near) if _leads_to(text, hit, match.start())), None)
        if listed and not (listed.end == match.start() and match.group() in _MANY):
            yield HanName(listed.start, end, "organisation")
        elif start and text[start - 1] in _OPENING_MARKS:
            yield HanName(start, end, "organisation")
        elif match.group() in _ALONE:
            yield HanName(match.start(), end, "organisation")
        elif not listed and match.group() not in _VAGUE and 2 <= match.start() - start <= 6:
            yield HanName(start, end, "organisation")


def _leads_to(text: str, hit: Found, head: int) -> bool:
    """Return whether a known name begins the one that ends with the head: "美国 有线电视 新闻网"."""
    return hit.start < head and head - 6 <= hit.end <= head and not _APART.search(text, hit.end, head)


def _start_of(text: str, start: int, earliest: int) -> int:
    while start > earliest and HAN.match(text[start - 1]) and text[start - 1] not in _BOUND:
        start -= 1
    return start


def _places(text: str, hits: Sequence[Found], gazetteer: Gazetteer) -> Iterator[HanName]:
    """Yield known places with what sort of place they are ("古吉拉特邦"), and unlisted ones that say it."""
    for match in _PLACE.finditer(text):
        yield HanName(*match.span(), "place")
    for match in _REGION.finditer(text):
        yield HanName(*match.span(), "place")
    for hit in hits:
        if any(gazetteer.rows[row].kind == "place" for row in hit.rows) and HAN.match(text[hit.start]):
            suffix = _PLACE_SUFFIX.match(text, hit.end)
            if suffix and text[hit.end - 1] not in "省州市县岛邦":
                rows = hit.rows if suffix.group() in _SAME_PLACE else ()
                yield HanName(hit.start, suffix.end(), "place", rows)


_COUNTRY_OF: Final = {
    "美": "美国", "韩": "韩国", "日": "日本", "俄": "俄罗斯", "英": "英国", "法": "法国", "德": "德国",
    "印": "印度", "中": "中国", "朝": "朝鲜",
}  # fmt: skip
"""Countries by the one character that headlines write for them."""
_LETTERS_OF_COUNTRIES: Final = "".join(_COUNTRY_OF)
_PAIR: Final = re.compile(
    rf"([{_LETTERS_OF_COUNTRIES}])([{_LETTERS_OF_COUNTRIES}])(?=两国|双方|之间|关系|贸易|联盟|同盟|联军|联合|峰会|会谈|元首|外长|"
    "领导人|边境|经贸|军演|双边|首脑|冲突|战争|合作)"
)
_ONE: Final = re.compile(
    rf"(?<=[访驻赴抵])([{_LETTERS_OF_COUNTRIES}])(?=期间|之旅|之行|时|后|前|，|。|大使|使馆|美军|部队|军队)"
    "|(?<![\\d一二三四五六七八九十])([美韩俄])(?=方(?!面|向|式|法)|媒|企|产|官员)"
)


def _countries(text: str, gazetteer: Gazetteer) -> Iterator[HanName]:
    """Yield countries that one character names, where what stands beside it leaves no doubt: "美韩关系", "访美期间"."""
    for match in chain(_PAIR.finditer(text), _ONE.finditer(text)):
        for group in range(1, len(match.groups()) + 1):
            if match.group(group):
                rows = gazetteer.named(_COUNTRY_OF[match.group(group)])
                yield HanName(*match.span(group), "place", tuple(rows))
