"""What mail programs and people write around a quote, in the languages of the world.

Only whole phrases stand here, in lower case; `quotes` decides where on a line and in
which company they count. A language is added by adding its words to each table.
"""

WROTE = (
    "wrote", "writes", "said",  # English
    "schrieb", "geschrieben",  # German
    "a écrit", "écrit",  # French
    "escribió", "escribio",  # Spanish
    "escreveu",  # Portuguese
    "ha scritto", "scrive", "scritto",  # Italian
    "schreef", "schreef het volgende", "geschreven",  # Dutch
    "skrev", "skrev följande",  # Swedish, Danish, Norwegian
    "kirjoitti",  # Finnish
    "napisał(a)", "napisał", "napisała", "pisze",  # Polish
    "napsal(a)", "napsal", "napsala", "napísal(a)", "napísal",  # Czech, Slovak
    "ezt írta", "írta",  # Hungarian
    "a scris",  # Romanian
    "написал(а)", "написал", "написала", "пишет", "писал",  # Russian
    "написав", "написала", "пише",  # Ukrainian
    "şunu yazdı", "şunları yazdı", "yazdı",  # Turkish
    "έγραψε",  # Greek
    "のメール", "のメッセージ", "さんは書きました", "書きました",  # Japanese
    "写道", "寫道", "来信", "來信",  # Chinese
    "님이 작성", "작성", "썼습니다",  # Korean
    "đã viết", "menulis",  # Vietnamese, Indonesian
    "написа", "napisao je", "napisala je", "je napisao",  # Bulgarian, Croatian
    "napisal", "napisala", "kirjutas", "rakstīja", "rašė", "skrifaði", "va escriure",
    "כתב", "כתבה", "كتب", "كتبت", "نوشت", "เขียนว่า", "ने लिखा",
    "quoting", "zitat von", "citando", "citando a", "citat från", "quotando",
)  # fmt: skip

OPENERS = (
    "on", "am", "le", "el", "em", "a", "il", "il giorno", "op", "den", "dne", "dňa",
    "dnia", "w dniu", "pe", "în", "la", "στις", "vào", "pada", "på", "за", "в", "在",
)  # fmt: skip

SENDER_FIELDS = (
    "from", "von", "de", "da", "van", "från", "fra", "lähettäjä", "od", "feladó",
    "de la", "от", "від", "from", "gönderen", "kimden", "από", "差出人", "发件人", "寄件者",
    "寄件人", "보낸 사람", "từ", "dari", "expéditeur", "remitente", "mittente", "remetente",
    "absender", "afzender", "отправитель", "šalje", "pošiljatelj", "saatja", "nuo",
    "מאת", "من", "از", "จาก",
)  # fmt: skip

OTHER_FIELDS = (
    "sent", "date", "to", "subject", "cc", "bcc", "reply-to", "importance",  # English
    "gesendet", "datum", "an", "betreff", "antwort an",  # German
    "envoyé", "envoyé le", "à", "objet",  # French
    "enviado", "enviado el", "fecha", "para", "asunto",  # Spanish
    "enviada", "enviado em", "enviada em", "data", "assunto",  # Portuguese
    "inviato", "inviato il", "a", "oggetto",  # Italian
    "verzonden", "verstuurd", "aan", "onderwerp",  # Dutch
    "skickat", "till", "ämne", "kopia",  # Swedish
    "sendt", "dato", "til", "emne", "kopi",  # Danish, Norwegian
    "lähetetty", "päivämäärä", "vastaanottaja", "aihe",  # Finnish
    "wysłano", "wysłane", "do", "temat", "dw",  # Polish
    "odesláno", "odoslané", "dátum", "komu", "předmět", "predmet", "kopie",  # Czech …
    "elküldve", "címzett", "tárgy",  # Hungarian
    "trimis", "către", "catre", "subiect",  # Romanian
    "отправлено", "дата", "кому", "тема", "копия",  # Russian
    "надіслано", "копія",  # Ukrainian
    "gönderilen", "gönderme tarihi", "gönderildi", "tarih", "kime", "konu", "bilgi",
    "αποστολή", "ημερομηνία", "προς", "θέμα", "στάλθηκε",  # Greek
    "送信日時", "日時", "日付", "宛先", "件名",  # Japanese
    "发送时间", "发送日期", "日期", "时间", "收件人", "主题", "抄送",  # Chinese
    "寄件日期", "傳送時間", "收件者", "主旨", "副本",
    "보낸 날짜", "날짜", "받는 사람", "제목", "참조",  # Korean
    "ngày", "tới", "đến", "chủ đề", "tanggal", "kepada", "perihal",
    "изпратено", "до", "относно", "poslano", "za", "saadetud", "kellele", "teema",
    "נשלח", "תאריך", "אל", "נושא", "تم الإرسال", "التاريخ", "إلى", "الموضوع",
    "ارسال", "به", "موضوع", "ส่ง", "วันที่", "ถึง", "เรื่อง",
)  # fmt: skip

ORIGINALS = (
    "original message", "original email", "forwarded message", "begin forwarded",
    "reply message", "original appointment", "ursprüngliche nachricht", "originalnachricht",
    "ursprüngliche mail", "originale nachricht",
    "weitergeleitete nachricht", "weitergeleiteten nachricht",
    "message d'origine", "message d’origine", "message original", "message transféré",
    "message initial", "mensaje original", "mensaje reenviado", "mensagem original",
    "mensagem encaminhada", "mensagem reencaminhada", "messaggio originale",
    "messaggio inoltrato", "oorspronkelijk bericht", "oorspronkelijke bericht",
    "doorgestuurd bericht", "ursprungligt meddelande", "originalmeddelande",
    "vidarebefordrat", "oprindelig meddelelse", "original meddelelse",
    "videresendt", "opprinnelig melding", "alkuperäinen viesti", "välitetty viesti",
    "wiadomość oryginalna", "oryginalna wiadomość", "przekazana wiadomość",
    "wiadomość przekazana", "původní zpráva", "přeposlaná zpráva", "pôvodná správa",
    "eredeti üzenet", "továbbított", "mesaj original", "mesaj redirecționat",
    "исходное сообщение", "пересылаемое сообщение", "пересланное сообщение",
    "оригінальне повідомлення", "переслане повідомлення", "özgün ileti",
    "orijinal ileti", "orijinal mesaj", "iletilmiş ileti", "iletilen ileti",
    "αρχικό μήνυμα", "προωθημένο μήνυμα", "元のメッセージ", "転送メッセージ",
    "original mail", "原始邮件", "原始郵件", "原邮件", "转发邮件", "轉寄郵件", "转发的邮件",
    "원본 메시지", "원본 메일", "전달된 메시지", "thư gốc", "pesan asli",
)  # fmt: skip

SENT_FROM = (
    "sent from", "sent with", "sent via", "sent using", "get outlook for",
    "sent on the go", "yahoo mail:", "gesendet von", "gesendet mit", "von meinem",
    "diese nachricht wurde von", "holen sie sich outlook", "outlook für",
    "envoyé de", "envoyé depuis", "envoyé à partir", "envoyé avec", "obtenir outlook",
    "téléchargez outlook", "télécharger outlook", "enviado desde", "enviado con",
    "obtener outlook", "enviado do", "enviado de", "enviado pelo", "enviado a partir",
    "enviado com", "obter o outlook", "inviato da", "inviato con", "scarica outlook",
    "ottieni outlook", "verstuurd vanaf", "verzonden vanaf", "verzonden met",
    "verstuurd met", "outlook voor", "skickat från", "hämta outlook", "sendt fra",
    "hent outlook", "skaff deg outlook", "lähetetty", "hanki outlook", "wysłane z",
    "wysłano z", "pobierz aplikację outlook", "uzyskaj aplikację outlook",
    "odesláno z", "získejte outlook", "získat outlook", "odoslané z", "elküldve",
    "trimis de pe", "trimis din", "отправлено с", "отправлено из", "скачать outlook",
    "надіслано з", "στάλθηκε από", "发自我的", "发自我", "傳送自", "从我的", "從我的",
    "获取 outlook", "取得 outlook", "나의 iphone", "내 ",
)  # fmt: skip

SENT_FROM_ENDS = (
    "gesendet", "gönderildi", "edinin", "から送信", "を入手", "에서 보냄", "küldve",
    "发送", "傳送",
)  # fmt: skip

CLOSINGS = (
    "best", "best regards", "best wishes", "kind regards", "warm regards", "regards",
    "many thanks", "thanks", "thanks a lot", "thanks in advance", "thank you",
    "thank you very much", "thx", "cheers", "sincerely", "yours sincerely", "br", "kr",
    "all the best", "viele grüße", "viele grüsse", "mit freundlichen grüßen",
    "mit freundlichem gruß", "freundliche grüße", "beste grüße", "liebe grüße",
    "schöne grüße", "herzliche grüße", "grüße", "gruß", "mfg", "lg", "vg", "danke",
    "vielen dank", "danke und gruß", "cordialement", "bien cordialement",
    "bien à vous", "salutations", "amicalement", "merci", "merci d'avance",
    "merci d’avance", "merci beaucoup", "saludos", "un saludo", "saludos cordiales",
    "atentamente", "cordialmente", "gracias", "muchas gracias", "atenciosamente",
    "att", "cumprimentos", "com os melhores cumprimentos", "melhores cumprimentos",
    "abraços", "obrigado", "obrigada", "cordiali saluti", "distinti saluti",
    "saluti", "un saluto", "grazie", "grazie mille", "met vriendelijke groet",
    "met vriendelijke groeten", "vriendelijke groet", "groeten", "groet", "mvg",
    "bedankt", "dank je wel", "alvast bedankt", "med vänliga hälsningar",
    "vänliga hälsningar", "med vänlig hälsning", "hälsningar", "mvh", "tack",
    "med venlig hilsen", "venlig hilsen", "de bedste hilsner", "hilsen", "tak",
    "på forhånd tak", "med vennlig hilsen", "vennlig hilsen", "takk",
    "ystävällisin terveisin", "terveisin", "kiitos", "pozdrawiam", "z poważaniem",
    "pozdrowienia", "z pozdrowieniami", "dziękuję", "dzięki", "s pozdravem",
    "zdravím", "děkuji", "díky", "hezký den", "s pozdravom", "ďakujem", "üdvözlettel",
    "üdv", "köszönöm", "cu stimă", "mulțumesc", "с уважением", "спасибо",
    "всего доброго", "з повагою", "дякую", "saygılarımla", "saygılar",
    "iyi çalışmalar", "teşekkürler", "teşekkür ederim", "selamlar", "με εκτίμηση",
    "ευχαριστώ", "よろしくお願いします", "よろしくお願いいたします", "宜しくお願いします",
    "ありがとうございます", "敬具", "以上", "谢谢", "多谢", "此致", "祝好", "敬礼", "顺颂商祺",
    "謝謝", "감사합니다", "감사드립니다", "trân trọng", "terima kasih",
)  # fmt: skip

NOTICES = (
    "confidentiality notice", "confidentiality", "disclaimer", "legal notice",
    "haftungsausschluss", "vertraulichkeitshinweis", "avis de confidentialité",
    "aviso legal", "aviso de confidencialidad", "aviso de confidencialidade",
    "avviso di riservatezza", "informativa", "vertrouwelijkheid", "klauzula",
    "you received this message because", "you are receiving this",
    "to unsubscribe from this group", "reply to this email directly",
    "please consider the environment", "think before you print", "virus-free",
    "this email has been checked for viruses", "diese e-mail wurde von avast",
    "diese e-mail wurde auf viren",
)  # fmt: skip

CONFIDENTIAL = (
    "confiden", "privileged", "vertraulich", "riservat", "poufn", "důvěrn", "dôvern",
    "конфиденц", "конфіденц", "gizli", "機密", "保密", "机密", "vertrouwelijk",
    "fortrolig", "konfident", "luottamuks", "bizalmas", "εμπιστευτικ", "기밀",
)  # fmt: skip

BANNERS = (
    "external", "[external", "[ext", "caution", "warning", "attention", "achtung",
    "extern", "vorsicht", "externe", "atención", "atenção", "attenzione", "let op",
    "uwaga", "upozornění", "внимание", "dikkat",
)  # fmt: skip

FOREIGN = (
    "external", "extern", "outside", "do not click", "außerhalb", "extérieur",
    "externo", "esterno", "zewnątrz", "zewnętrz", "внешн", "dışarıdan", "buiten",
    "originated", "unknown sender",
)  # fmt: skip
