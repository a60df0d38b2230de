//! The words of the engine, folded. A `*` at the end stands for any ending: Turkish puts its grammar there.

use crate::words::Channel;

/// The verbs of approval and rejection that every number knows (rules.md 4.2).
pub(super) const APPROVALS: &[&str] = &["ONAY", "EVET", "KABUL", "IZIN", "ONAYLIYORUM", "ABONE"];
pub(super) const REJECTIONS: &[&str] = &[
    "RET",
    "RED",
    "SMSRET",
    "IPTAL",
    "STOP",
    "DUR",
    "HAYIR",
    "CIK",
    "CIKIS",
    "ISTEMIYORUM",
    "KALDIR",
    "UNSUBSCRIBE",
];

/// Shorter refusals that mean something else in the middle of a sentence: as exact as they stand, and early.
pub(super) const EARLY: &[&str] = &[
    "IPTAL*",
    "ATMA",
    "YAZMA",
    "GONDERME",
    "YOLLAMA",
    "SIL",
    "SILIN",
    "SILINIZ",
    "CIKAR",
    "DURDUR",
    "ISTEMEM",
    "CANCEL",
    "REMOVE",
    "REDDET",
    "KALDIRIN",
    "KALDIRINIZ",
];

/// Refusals that cannot mean anything else, wherever they stand. An advertisement that somebody quotes must
/// not hold them (`istemiyorsanız`, `kaçırmayın` and `paylaşmayın` are words of advertisements).
pub(super) const ANYWHERE: &[&str] = &[
    "ISTEMIYORUM",
    "ISTEMIYORUZ",
    "ISTEMIYOM",
    "ISTEMIYOZ",
    "ISTEMEDIGIMI",
    "ATMAYIN",
    "ATMAYINIZ",
    "ATMASIN",
    "ATMASINLAR",
    "GONDERMEYIN",
    "GONDERMEYINIZ",
    "GONDERMESIN",
    "GONDERILMESIN",
    "YOLLAMAYIN",
    "YOLLAMAYINIZ",
    "YAZMAYIN",
    "YAZMAYINIZ",
    "CEKMEYIN",
    "ARAMAYIN",
    "ARAMAYINIZ",
    "ARAMASIN",
    "ARANMASIN",
    "CIKARIN",
    "CIKARINIZ",
    "CIKARTIN",
    "CIKARTINIZ",
    "CIKARIR",
    "CIKARTIR",
    "CIKARILSIN",
    "SILER",
    "SILINSIN",
    "SILINMESINI",
    "DURDURUN",
    "DURDURUNUZ",
    "ONAYLAMIYORUM",
    "ONAYLAMIYORUZ",
    "ONAYLAMIYOM",
    "ONAYLAMAM",
    "ONAYLAMADIM",
    "ONAYSIZ",
    "IZINSIZ",
    "REDDEDIYORUM",
    "REDDEDIYORUZ",
    "REDDEDERIM",
    "REDDETTIM",
    "REDDETMISTIM",
    "VAZGECTIM",
    "VAZGECIYORUM",
    "OPTOUT",
];

/// Two words that refuse together: one of the left, and after it one of the right.
pub(super) const PAIRS: &[(&[&str], &[&str])] = &[
    (
        &["ONAY*", "IZIN", "IZNIM*", "KABUL*", "EVET", "ABONE*"],
        &[
            "VERMIYORUM",
            "VERMIYORUZ",
            "VERMIYOM",
            "VERMEM",
            "VERMEDIM",
            "VERMEDIK",
            "VERMEYECEGIM",
            "ETMIYORUM",
            "ETMIYORUZ",
            "ETMIYOM",
            "ETMEM",
            "ETMEDIM",
            "ETMEDIK",
            "ETMEYECEGIM",
            "OLMADIM",
            "OLMUYORUM",
            "OLMAM",
            "OLMAYACAGIM",
            "DEGIL",
            "DEGILIM",
            "DEGILIZ",
            "YOK",
            "YOKTUR",
            "YOKTU",
        ],
    ),
    (&["ONAYIM*", "IZNIM*", "KABULUM*"], &["GERI"]),
    (&["RAHATSIZ"], &["ETME", "ETMEYIN", "ETMEYINIZ", "EDIYORSUNUZ", "EDILMEK", "OLUYORUM"]),
    (
        &["CIKMAK", "CIKARILMAK", "CIKARTILMAK", "AYRILMAK", "SILINMEK"],
        &["ISTIYORUM", "ISTIYORUZ", "ISTIYOM", "ISTERIM"],
    ),
    (&["BENI"], &["ARAMA"]),
    (&["MESAJ*", "SMS*", "ATMAYI", "GONDERMEYI", "ARAMAYI"], &["BIRAKIN", "BIRAK"]),
    (&["OPT"], &["OUT"]),
];

/// Words that are one error away from a verb of rejection and have a meaning of their own.
pub(super) const OTHER_WORDS: &[&str] = &[
    "HAZIR",
    "HAYRI",
    "HAYIRI",
    "CIKMIS",
    "CIKTI",
    "CIKIP",
    "CIKIN",
    "DIKIS",
    "BIKIS",
    "STOK",
    "STEP",
    "SHOP",
    "TOP",
    "SATMAYIN",
    "YATMAYIN",
    "KATMAYIN",
    "KALDI",
    "KALDIM",
    "KALDIK",
    "KALDIN",
    "KALIR",
    "SALDIR",
    "KANDIR",
    "VERIYORUM",
    "VERIYORUZ",
    "VERIYOM",
    "OLUYORUM",
];

/// Words that say nothing themselves and do not count among the first three.
pub(super) const FILLERS: &[&str] = &[
    "LUTFEN",
    "LTF",
    "LTFN",
    "LUTFN",
    "ARTIK",
    "BEN",
    "BENI",
    "BANA",
    "BENIM",
    "BIR",
    "BI",
    "DAHA",
    "BU",
    "SU",
    "SUNU",
    "O",
    "VE",
    "ILE",
    "DE",
    "DA",
    "KI",
    "YA",
    "BE",
    "E",
    "SIZ",
    "SIZE",
    "SIZI",
    "SIZDEN",
    "SIZIN",
    "SAYIN",
    "YETKILI",
    "MERHABA",
    "MERHABALAR",
    "SELAM",
    "SLM",
    "MRB",
    "IYI",
    "GUNLER",
    "AKSAMLAR",
    "HEMEN",
    "DERHAL",
    "ACIL",
    "ACILEN",
    "YETER",
    "LAN",
    "ULAN",
    "ASKINA",
    "NUMARAMI",
    "NUMARAYI",
    "NUMARAYA",
    "PLEASE",
];

/// What a word says about channels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Named {
    /// One channel.
    One(Channel),
    /// All that a number has: calls and messages. An e-mail address is not a number's.
    All,
    /// `tüm`, `bütün`: all, unless a channel follows (`tüm mesajlar`).
    Every,
}

/// The words for channels that an approval may hold, exactly so.
pub(super) const CHANNELS: &[(&str, Named)] = &[
    ("SMS", Named::One(Channel::Message)),
    ("MESAJ", Named::One(Channel::Message)),
    ("ARAMA", Named::One(Channel::Call)),
    ("EPOSTA", Named::One(Channel::Email)),
    ("MAIL", Named::One(Channel::Email)),
    ("HEPSI", Named::All),
    ("TUM", Named::All),
];

/// The words for channels of a rejection: those, and how people inflect them.
pub(super) const REJECTED_CHANNELS: &[(&str, Named)] = &[
    ("SMS*", Named::One(Channel::Message)),
    ("MESAJ*", Named::One(Channel::Message)),
    ("ARAMA*", Named::One(Channel::Call)),
    ("CAGRI*", Named::One(Channel::Call)),
    ("EPOSTA*", Named::One(Channel::Email)),
    ("POSTA*", Named::One(Channel::Email)),
    ("MAIL*", Named::One(Channel::Email)),
    ("EMAIL*", Named::One(Channel::Email)),
    ("HEPSI*", Named::All),
    ("TUMU*", Named::All),
    ("TAMAMI*", Named::All),
    ("HICBIRI*", Named::All),
    ("TUM", Named::Every),
    ("BUTUN", Named::Every),
];

/// Whether a word is an entry of these tables.
pub(super) fn is(word: &str, entry: &str) -> bool {
    entry.strip_suffix('*').map_or(word == entry, |stem| word.starts_with(stem))
}

/// What a word says about channels, by one of the two tables.
pub(super) fn named(word: &str, table: &[(&str, Named)]) -> Option<Named> {
    table.iter().find(|(entry, _)| is(word, entry)).map(|(_, named)| *named)
}
