"""Wordings in other languages than English."""

from __future__ import annotations

from historical_sync.ai_usage.table.phrases import Wording

_DONE = (
    r"g[ée]n[ée]r[ée]e?s?|généré\w*|generad[oa]s?|gerad[oa]s?|generat[oaie]|generiert|erstellt|geschrieben|"
    r"umgesetzt|implementiert|entwickelt|übersetzt|escrit[oa]s?|scritt[oaie]|écrit\w*|cread[oa]s?|criad[oa]s?|"
    r"creat[oaie]|"
    r"créé\w*|hech[oa]s?|feit[oa]s?|fatt[oaie]|fait\w*|realizad[oa]s?|réalisé\w*|traducid[oa]s?|traduzid[oa]s?|"
    r"traduit\w*|"
    r"asistid[oa]|assistid[oa]|assisté\w*|unterstützt|desarrollad[oa]|desenvolvid[oa]|développé\w*|sviluppat[oaie]|"
    r"implementad[oa]s?|implementat[oaie]|implémenté\w*|сгенерирован\w*|написан\w*|создан\w*|сделан\w*|переведен\w*|"
    r"написал\w*|сделал\w*|gegenereerd|geschreven|gemaakt|wygenerowan\w*|napisan\w*"
)
_DONE_GERMAN = (
    r"(?:ge|er|ent|über|unter|um)?(?:generiert|schrieben|stellt|setzt|stützt|wickelt|arbeitet|baut|macht)|"
    r"implementiert|"
    r"programmiert|refaktoriert|portiert|gegenereerd|geschreven|gemaakt"
)
_WITH = (
    r"con|com|por|pela|pelo|mediante|avec|par|mit|von|durch|door|met|z|przez|da|с помощью|при помощи|через|usando|"
    r"utilizando|"
    r"à l'aide de|en utilisant|mithilfe"
)
_ARTICLE = (
    r"(?:la|el|o|a|l'|lo|il|der|den|dem|die|das|une?|un|una|uma|de|d[aeo]|do|du|di|dell'|della|von|hilfe von|"
    r"unterstützung von|hulp van|"
    r"(?:la )?ayuda de|(?:a )?ajuda d[aeo]|l'aide de|l'aiuto di|assistência d[aeo]|asistencia de|помощью)"
)
_THE_HELP = (
    r"ayuda|ajuda|aide|l'aide|hilfe|unterstützung|asistencia|assistência|assistance|l'assistance|aiuto|l'aiuto|hulp|"
    r"pomocą"
)

OTHER_LANGUAGES: tuple[Wording, ...] = (
    Wording(
        "chinese_japanese_korean",
        r"(?:使用|用|借助|通过|由|透過|藉由|利用|基于|靠|在) ?[TMHN][^,，。]{0,12}?"
        r"(?:生成|编写|編寫|实现|實現|完成|辅助|輔助|协助|協助|写|寫|开发|開發|修复|修復|重构|重構|产生|帮助下)|"
        r"[TMHN] ?(?:辅助|輔助|协助|協助|生成|编写|参与|"
        r"を使(?:って|用し|い)[^。]{0,20}?(?:実装|作成|生成|修正|書)|で(?:生成|作成|実装|書)|"
        r"に(?:よって|より|よる)(?:生成|作成|実装)|が(?:書|作成|実装|生成)|に[^。]{0,10}?(?:書|実装|作成|生成|作|修正)[^。]{0,4}?(?:もら|いただ|頂)|"
        r"の(?:助け|支援|協力|力)を[^。]{0,6}(?:借り|得|受け)|"
        r"(?:을|를|로|으로|의) ?(?:사용|이용|활용|도움)?[^.]{0,10}?(?:작성|생성|구현|개발|만들))|"
        r"(?:代码|代碼|测试|測試|本 ?pr|此 ?pr|提交)[^,，。]{0,10}由 ?[TMHN]",
        ("本 PR 由 Claude 生成", "使用 Copilot 编写测试", "Claude Code を使って実装しました", "ChatGPT로 작성했습니다"),
        ("支持 Claude 模型", "Claude の設定を追加", "修复 Gemini 调用"),
        signs=(
            "用",
            "借助",
            "通过",
            "由",
            "透過",
            "藉由",
            "基于",
            "靠",
            "在",
            "辅助",
            "輔助",
            "协助",
            "協助",
            "生成",
            "编写",
            "参与",
            "を使",
            "で",
            "に",
            "が",
            "の",
            "을",
            "를",
            "로",
            "의",
        ),
    ),
    Wording(
        "european",
        rf"\b(?:{_DONE}) (?:\w+ ){{0,3}}?(?:{_WITH})(?: {_ARTICLE})* ?(?:[TMHN]|\bia\b|\bki\b|ии)"
        rf"|\b(?:con|com|avec|mit|med|met|con l'|grazie all')(?: {_ARTICLE})* ?(?:{_THE_HELP})"
        rf" (?:{_ARTICLE} )*(?:[TMHN]|\bia\b|\bki\b|ии)"
        rf"|(?:с|при) помощью (?:[TMHN]|ии)|(?:сгенерирован|написан|создан)\w* [TMH]\b"
        rf"|\b(?:von|mit|durch|via|mittels)(?: (?:der|dem|einer|einem))? (?:[TMHN]|"
        rf"\bki\b)(?: [\w-]+){{0,4}}? (?:{_DONE_GERMAN})\b"
        rf"|\b(?:j'ai|nous avons|he|hemos|usei|usé|utilicé|utilizei|ich habe|wir haben|"
        rf"ho)\b(?: \w+){{0,2}}? ?(?:utilisé|usado|"
        rf"utilizado|usei|usé|utilicé|utilizei|usato|utilizzato|(?={_ARTICLE} |"
        rf"[TMHN]))(?: {_ARTICLE})* ?[TMHN]\b.{{0,60}}\b(?:pour|para|"
        rf"per|um|zum|zur|für|genutzt|verwendet|benutzt)\b"
        rf"|\b(?:gracias|obrigad[oa]|merci|danke|grazie)(?: {_ARTICLE}| an| à)* [TM]\b.{{0,12}}\b(?:por|para|pour|für|"
        rf"per)\b"
        rf"|\b[TMHN] (?:hat|a|ha|tem)\b.{{0,40}}\b(?:{_DONE})\b|\b(?:lo |la |o |a )?(?:hizo|escribió|generó|fez|"
        rf"escreveu|gerou) {_ARTICLE}? ?[TMH]\b"
        r"|N[- ](?:generiert\w*|gestützt\w*|unterstützt\w*|erstellt\w*)",
        (
            "Escrito con Claude Code",
            "Généré avec ChatGPT",
            "Mit Hilfe von Claude umgesetzt",
            "Feito com ajuda do Copilot",
            "Написано с помощью ChatGPT",
            "KI-generiert",
            "Der Code wurde größtenteils von ChatGPT generiert",
            "J'ai utilisé Copilot pour les tests",
            "Usei o ChatGPT para gerar os testes",
            "Ich habe Claude Code für die Tests verwendet",
            "Scritto con l'aiuto di Claude",
        ),
        ("Fonctionne avec Claude", "Mit Claude verbinden", "Soporte para Claude", "Kann von Claude gelesen werden"),
        signs=(
            *(
                f" {word} "
                for word in ("con", "com", "por", "par", "pour", "para", "pela", "pelo", "mediante", "avec", "mit")
            ),
            *(
                f" {word} "
                for word in ("von", "durch", "door", "met", "z", "przez", "da", "usando", "utilizando", "per")
            ),
            *(
                "mit ",
                "con ",
                "com ",
                "avec ",
                "N-",
                "N ",
                " hat ",
                " ha ",
                " tem ",
                "hizo",
                "escri",
                "gener",
                "fez",
                "gerou",
            ),
            *("für", "zum", "zur", "помощ", "через", "сгенер", "напис", "созд", "'aide", "mithilfe", "j'ai"),
        ),
    ),
)
