"""Annotations: what our own reading of an event's text says of it; what the input claims of them is not read.

`annotate` runs in score_interactions before the fold and in imports, nowhere else: the archive holds what it found,
and Spark reads that. All its tables stand here, so that every Python finds the same.
"""

import re
from dataclasses import replace
from functools import cache
from itertools import product
from string import ascii_lowercase, digits
from zlib import crc32

from service_quality.events.interaction_event import SEARCH_TERM_GROUPS, InteractionEvent

#: Rises with every change of what `annotate` finds.
ANNOTATION_VERSION = 4

_LONGEST = 120  # characters of a message that only thanks

#: What thanks, takes note, declines more or says good-bye, and by itself asks for nothing. What may agree to a proposal
#: (可以, 行, 没问题, yes, fine, no problem) is not among it: somebody has to act on it.
_COURTESIES = (
    "thanks", "thank you", "thank u", "thankyou", "thanx", "thx", "thnx", "tnx", "thks", "tks", "ty", "tysm",
    "cheers", "much appreciated", "appreciate it", "appreciated", "i appreciate it", "i appreciate your help",
    "many thanks", "no thanks", "no thank you", "no, thanks", "no, thank you", "great thanks", "ok", "okay", "okey",
    "okie", "k", "kk",
    "alright", "all right", "got it", "noted", "understood", "mhm", "will do", "perfect", "great", "awesome",
    "excellent", "wonderful", "brilliant", "lovely", "nice", "cool", "good", "super", "you too",
    "same to you",
    "that's all", "that is all", "nothing else", "no that's all", "no need", "not needed", "never mind", "nevermind",
    "nvm", "no worries", "all good", "no more questions", "no other questions", "no further questions",
    "bye", "bye bye", "goodbye", "good bye", "have a nice day", "have a good day", "have a great day",
    "have a nice weekend", "have a good weekend", "good night", "you are the best", "you're the best", "谢谢", "谢",
    "谢了", "谢啦", "谢谢了", "谢谢啦", "谢谢你", "谢谢您", "谢谢哦", "谢谢哈", "谢谢亲", "多谢", "感谢", "非常感谢",
    "十分感谢", "感激不尽", "太感谢了", "辛苦了", "辛苦", "麻烦了", "麻烦你了", "麻烦您了", "谢谢老板", "3q", "3x",
    "好", "好的", "好哒", "好滴", "好嘞", "好吧", "好呀", "嗯", "嗯嗯",
    "恩", "恩恩", "哦", "哦哦", "噢", "收到", "知道了", "明白", "明白了", "了解", "了解了", "懂了", "ok的", "太好了",
    "真好", "很好", "棒", "真棒", "太棒了", "赞", "不用了谢谢", "不用谢谢", "再见", "拜拜", "晚安", "祝您生活愉快",
    "祝你生活愉快", "謝謝", "謝", "謝謝你", "謝謝您", "多謝", "感謝", "非常感謝", "辛苦囉", "好喔", "瞭解",
    "知道囉", "不用了", "不用啦", "不用", "没事了", "没事啦", "没事", "没关系", "不客气", "不谢", "好评", "五星好评",
    "5星好评", "已给好评", "已给", "已好评", "没问题了", "没问题啦", "没有问题了", "没有其他问题了", "没别的了",
    "就这些", "沒問題了", "不需要了", "不需要", "没有了", "没了", "没有啦", "解决了", "已解决", "问题解决了", "可以了",
    "行了", "solved", "problem solved", "it works now", "it worked",
)  # fmt: skip
#: What may stand beside a courtesy and adds nothing to it.
_FILLERS = (
    "so", "so much", "very", "very much", "a lot", "a bunch", "a million", "a ton", "again", "and", "really",
    "indeed", "you", "u", "guys", "all", "everyone", "team", "sir", "madam", "dear", "there", "then", "oh", "ah",
    "hi", "hello", "mate", "man", "that's", "thats", "that is", "it's", "its", "it is", "it works", "that worked",
    "it arrived",
    "that solved it", "this solved it", "that helped", "it helped", "你", "您", "你们", "哈",
    "哈哈", "啊", "呀", "啦", "了", "哦", "呢", "嘛", "亲", "亲爱的", "小姐姐", "小哥哥", "老板", "客服", "店家",
    "非常", "真的", "十分", "太", "那", "已收到",
    "已收到货", "收到货了", "货收到了", "好了", "你好", "您好",
    "的", "喔", "囉",
)  # fmt: skip
#: Parts of fillers and courtesies that name their reason: for your quick help, 感谢您的耐心解答.
_FOR = ("for", "for the", "for your", "for ur", "for all your", "for all the")
_KIND_OF_HELP = ("", "kind ", "quick ", "fast ", "prompt ", "great ", "nice ", "good ")
_HELP = (
    "help", "support", "assistance", "time", "patience", "reply", "response", "answer", "info", "information", "update",
    "service", "helping", "helping me",
)  # fmt: skip
_ZH_THANKS, _ZH_YOU = ("谢谢", "感谢", "多谢"), ("", "您", "你", "你们", "您的", "你的", "你们的")
_ZH_KIND_OF_HELP, _ZH_HELP = ("", "耐心", "耐心的", "及时", "及时的", "热心"), ("帮助", "解答", "回复", "支持", "服务")
_FRIENDLY = "👍👌🙏🤝👏🙌💪😊🙂😀😃😄😁😆😉😍🥰😘☺😇🤗🤩🥳🎉🌹🌺🌸💐❤♥🧡💛💚💙💜💕💖💗💯✅✔⭐🌟✨🌷🫶"
_BESIDE_EMOJI = "\ufe0e\ufe0f\u200d🏻🏼🏽🏾🏿"
#: Pictures as platforms write them out; which one 表情 was, nobody knows, but it asks for nothing.
_NAMED_FACES = tuple(f"[{name}]" for name in (
    "表情", "微笑", "愉快", "呲牙", "偷笑", "可爱", "害羞", "握手", "抱拳", "强", "赞", "鼓掌", "胜利", "玫瑰", "爱心",
    "拥抱", "ok", "smile", "thumbsup", "heart", "rose",
))  # fmt: skip
_WRITTEN_FACES = (":-)", ":)", ";-)", ";)", ":d", "=)", "^_^", "^^", "<3")
#: Between words; a question mark is not among them, since it asks.
_PAUSES = " \t\n\r\f\v.,!;:-_~*\"'()[]/&+…·–—“”‘’、。，！；：～「」『』《》（）【】￥"
_PAUSES += "\u00a0\u2002\u2003\u2009\u200b\u202f\u3000\ufeff"

#: The words before a name that ends a message: Thanks, Anna! 谢谢小李
_BEFORE_NAMES = ("thanks", "thank you", "thx", "cheers", *_ZH_THANKS)
#: Words that are written large at the end of a sentence and are no names.
_NO_NAMES = frozenset(
    "again but cancel delivery help how invoice later next no not now order please refund return soon still tracking "
    "today tomorrow tonight urgent waiting what when where which who why yes".split()
)

_LETTERS = frozenset(ascii_lowercase + digits)
_WITHIN_WORD = _LETTERS | {"'"}
#: Capital letters and the full-width forms of ASCII, as plain small letters.
_PLAIN = {code: chr(code + 32) for code in range(ord("A"), ord("Z") + 1)}
_PLAIN |= {code: chr(code - 0xFEE0).lower() for code in range(0xFF01, 0xFF5F) if chr(code - 0xFEE0).isalnum()}
_PLAIN |= {ord("’"): "'", ord("？"): "?"}


@cache
def _phrases() -> dict[str, bool]:
    """Every known part of a message, and whether it is a courtesy. Made when the first message is read."""
    fillers = [
        *_FILLERS,
        *_BESIDE_EMOJI,
        *_PAUSES,
        *map(" ".join, product(_FOR, map("".join, product(_KIND_OF_HELP, _HELP)))),
    ]
    courtesies = [*_COURTESIES, *_FRIENDLY, *_NAMED_FACES, *_WRITTEN_FACES]
    courtesies += map("".join, product(_ZH_THANKS, _ZH_YOU, _ZH_KIND_OF_HELP, _ZH_HELP))
    return dict.fromkeys(fillers, False) | dict.fromkeys(courtesies, True)


@cache
def _lengths() -> dict[str, tuple[int, ...]]:
    """The lengths of the known parts that begin with a character, the longest first."""
    lengths: dict[str, set[int]] = {}
    for phrase in _phrases():
        lengths.setdefault(phrase[0], set()).add(len(phrase))
    return {first: tuple(sorted(found, reverse=True)) for first, found in lengths.items()}


def annotate(event: InteractionEvent) -> InteractionEvent:
    """The event with its annotations, where they say something.

    `courtesy` is 1 for a customer's message that only thanks, `search_term` the group of what was searched for.
    """
    if event.kind == "searched" and event.query:
        return replace(event, search_term=search_term_of(event.query))
    if event.kind != "customer_message" or not event.text or not only_thanks(event.text):
        return event
    return replace(event, courtesy=1)


def search_term_of(query: str) -> int:
    """The group of what was searched for: the remainder of the CRC-32 of its UTF-8, however it is written and spaced.

    >>> search_term_of("USB charger") == search_term_of(" usb  ＣＨＡＲＧＥＲ"), search_term_of("lamp")
    (True, 6)
    """
    plain = " ".join(query.translate(_PLAIN).split())
    return crc32(plain.encode(errors="surrogatepass")) % SEARCH_TERM_GROUPS


def only_thanks(text: str) -> bool:
    """Whether a message thanks, takes note, declines or says good-bye, and says and asks nothing else.

    >>> only_thanks("OK, thank you so much!"), only_thanks("好的，谢谢"), only_thanks("thanks, but where is my parcel?")
    (True, True, False)
    """
    if len(text) > _LONGEST:
        return False
    plain, at, is_courteous = text.translate(_PLAIN), 0, False
    while at < len(plain):
        part = _part_at(plain, at) or _name_at(text, plain, at)
        if not part:
            return False
        is_courteous = is_courteous or _phrases().get(part, False)
        at += len(part)
    return is_courteous


def _part_at(plain: str, at: int) -> str:
    """The longest known part of a message from a place on; "" without one."""
    for length in _lengths().get(plain[at], ()):
        part = plain[at : at + length]
        if part in _phrases() and not _is_within_word(plain, at + len(part)):
            return part
    return ""


@cache
def _name() -> re.Pattern[str]:
    return re.compile("[a-z][a-z'-]{1,15}|[小老阿][\u4e00-\u9fff]|[\u4e00-\u9fff]{1,2}(?:姐|哥|老师|经理|先生|女士)")


def _name_at(text: str, plain: str, at: int) -> str:
    """The name behind thanks, as the last word of a message from a place on; "" without one."""
    found = _name().match(plain, at)
    if found is None or not plain[:at].rstrip(" ,，").endswith(_BEFORE_NAMES):
        return ""
    if any(one in _LETTERS or "\u4e00" <= one <= "\u9fff" for one in plain[found.end() :]):
        return ""
    written = text[at : found.end()]
    is_name = not written.isascii() or (written.istitle() and found[0] not in _NO_NAMES)
    return found[0] if is_name else ""


def _is_within_word(plain: str, at: int) -> bool:
    """Whether a place lies between two letters or digits of a word."""
    return plain[at - 1] in _LETTERS and plain[at : at + 1] in _WITHIN_WORD
