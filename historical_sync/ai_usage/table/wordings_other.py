"""Wordings in other languages than English."""

from __future__ import annotations

from historical_sync.ai_usage.table.phrases import (
    Wording,
)

OTHER_LANGUAGES: tuple[Wording, ...] = (
    Wording(
        "chinese_japanese_korean",
        r"(?:使用|用|借助|通过|由|透過|藉由|利用|基于|靠|在) ?[TMHN][^,，。]{0,12}?"
        r"(?:生成|编写|編寫|实现|實現|完成|辅助|輔助|协助|協助|写|寫|开发|開發|修复|修復|重构|重構|产生|帮助下)|"
        r"[TMHN] ?(?:辅助|輔助|协助|協助|生成|编写|参与|"
        r"を使(?:って|用し|い)[^。]{0,20}?(?:実装|作成|生成|修正|書)|で(?:生成|作成|実装|書)|"
        r"に(?:よって|より|よる)(?:生成|作成|実装)|が(?:書|作成|実装|生成)|"
        r"(?:을|를|로|으로) ?(?:사용|이용|활용)?[^.]{0,10}?(?:작성|생성|구현|개발))|"
        r"(?:代码|代碼|测试|測試|本 ?pr|此 ?pr|提交)[^,，。]{0,10}由 ?[TMHN]",
        ("本 PR 由 Claude 生成", "使用 Copilot 编写测试", "Claude Code を使って実装しました", "ChatGPT로 작성했습니다"),
        ("支持 Claude 模型", "Claude の設定を追加", "修复 Gemini 调用"),
    ),
    Wording(
        "european",
        r"\b(?:g[ée]n[ée]r[ée]e?s?|généré\w*|generad[oa]s?|gerad[oa]s?|generiert|erstellt|geschrieben|"
        r"umgesetzt|implementiert|escrit[oa]s?|écrit\w*|cread[oa]s?|criad[oa]s?|créé\w*|hecho|feit[oa]|fait\w*|"
        r"asistid[oa]|assistid[oa]|assisté\w*|unterstützt|desarrollad[oa]|desenvolvid[oa]|développé\w*|"
        r"implementad[oa]|сгенерирован\w*|написан\w*|создан\w*|сделан\w*) (?:\w+ ){0,2}?(?:con|com|por|pela|"
        r"pelo|mediante|avec|par|mit|von|durch|с помощью|при помощи|через|usando|utilizando)(?: (?:la |el |o |"
        r"a |l'|der |den |dem |une? |un |hilfe von |unterstützung von |ayuda de |ajuda d[oae] |l'aide de |"
        r"помощью ))* ?(?:[TMHN]|\bia\b|\bki\b|ии)"
        r"|\b(?:con|com|avec|mit)(?: (?:la |a |l'|der |dem ))* ?(?:ayuda|ajuda|aide|hilfe|unterstützung|"
        r"asistencia|assistência|assistance) (?:de |d[oae] |von |du |der |la )*(?:[TMHN]|\bia\b|\bki\b)|(?:с|"
        r"при) помощью (?:[TMHN]|ии)|(?:сгенерирован|написан|создан)\w* [TMH]\b|\bmit [TMH] (?:erstellt|"
        r"generiert|geschrieben|umgesetzt|implementiert|gebaut|entwickelt)|N[- ](?:generiert\w*|gestützt\w*|"
        r"unterstützt\w*|erstellt\w*)",
        (
            "Escrito con Claude Code",
            "Généré avec ChatGPT",
            "Mit Hilfe von Claude umgesetzt",
            "Feito com ajuda do Copilot",
            "Написано с помощью ChatGPT",
            "KI-generiert",
        ),
        ("Fonctionne avec Claude", "Mit Claude verbinden", "Soporte para Claude"),
    ),
)
