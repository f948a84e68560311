"""The words of the pages for readers, in the nine languages that letters speak.

Second person, present tense, no blame (the wording guide). `{name}` is the newsletter, `{address}` a masked address.
"""

from __future__ import annotations

from collections.abc import Mapping

from newsletter.core.rubrics import LANGUAGES, base_language

# Order of the columns: core.rubrics.LANGUAGES.
_TABLE: dict[str, tuple[str, ...]] = {
    "ask_title": (
        "Unsubscribe from {name}?", "{name} abbestellen?", "Se désabonner de {name} ?", "¿Darse de baja de {name}?",
        "Annullare l’iscrizione a {name}?", "هل تريد إلغاء الاشتراك في {name}؟", "להסיר את ההרשמה ל־{name}?",
        "{name}の購読を解除しますか？", "要退订{name}吗？",
    ),
    "ask_text": (
        "{address} gets {name} by e-mail. Press the button and the mails stop at once.",
        "{address} bekommt {name} per E-Mail. Ein Druck auf den Knopf, und die Mails hören sofort auf.",
        "{address} reçoit {name} par e-mail. Appuyez sur le bouton et les envois cessent aussitôt.",
        "{address} recibe {name} por correo. Pulse el botón y los envíos cesan de inmediato.",
        "{address} riceve {name} via e-mail. Premi il pulsante e gli invii cessano subito.",
        "يتلقى {address} نشرة {name} بالبريد. اضغط الزر فتتوقف الرسائل فورًا.",
        "{address} מקבל את {name} בדוא״ל. לחיצה על הכפתור והמשלוחים נפסקים מיד.",
        "{address} に{name}が届いています。ボタンを押すと、配信はすぐに止まります。",
        "{address} 正在接收{name}。按下按钮，邮件立即停止。",
    ),
    "unsubscribe": (
        "Unsubscribe", "Abbestellen", "Se désabonner", "Darse de baja", "Annulla l’iscrizione", "إلغاء الاشتراك",
        "הסרה מהרשימה", "購読を解除する", "退订",
    ),
    "done_title": (
        "You’re unsubscribed", "Du bist abgemeldet", "Désabonnement enregistré", "Se ha dado de baja",
        "Iscrizione annullata", "تم إلغاء اشتراكك", "ההרשמה הוסרה", "購読を解除しました", "已退订",
    ),
    "done_text": (
        "{address} gets no more issues of {name}, the next one included.",
        "{address} bekommt keine Ausgabe von {name} mehr, auch nicht die nächste.",
        "{address} ne recevra plus aucun numéro de {name}, y compris le prochain.",
        "{address} no recibirá más números de {name}, tampoco el próximo.",
        "{address} non riceverà più alcun numero di {name}, nemmeno il prossimo.",
        "لن يتلقى {address} أي عدد من {name} بعد الآن، بما في ذلك العدد القادم.",
        "{address} לא יקבל עוד גיליונות של {name}, גם לא את הבא.",
        "今後、次号を含め{name}は {address} に届きません。",
        "{address} 不会再收到{name}，包括下一期。",
    ),
    "undo": (
        "Undo", "Rückgängig machen", "Annuler", "Deshacer", "Ripristina", "تراجع", "ביטול", "元に戻す", "撤销",
    ),
    "undo_text": (
        "Pressed by mistake? You can take it back for one day.",
        "Aus Versehen gedrückt? Einen Tag lang kannst du es zurücknehmen.",
        "Une erreur ? Vous pouvez revenir en arrière pendant un jour.",
        "¿Fue un error? Puede deshacerlo durante un día.",
        "È stato un errore? Puoi ripristinare entro un giorno.",
        "هل ضغطت خطأً؟ يمكنك التراجع خلال يوم واحد.",
        "נלחץ בטעות? אפשר לבטל במשך יום אחד.",
        "間違えて押した場合は、1日以内なら元に戻せます。",
        "按错了？一天之内可以撤销。",
    ),
    "back_title": (
        "You’re subscribed again", "Du bist wieder angemeldet", "Abonnement rétabli", "Suscripción restablecida",
        "Iscrizione ripristinata", "عاد اشتراكك", "ההרשמה חודשה", "購読を再開しました", "已恢复订阅",
    ),
    "back_text": (
        "{address} gets {name} as before.",
        "{address} bekommt {name} wie zuvor.",
        "{address} reçoit {name} comme avant.",
        "{address} recibe {name} como antes.",
        "{address} riceve {name} come prima.",
        "يتلقى {address} نشرة {name} كما كان.",
        "{address} מקבל את {name} כמו קודם.",
        "これまでどおり {address} に{name}が届きます。",
        "{address} 将照常收到{name}。",
    ),
    "gone_title": (
        "You won’t get mail from us", "Du bekommst keine Mails von uns", "Vous ne recevrez pas d’e-mails de notre part",
        "No recibirá correos nuestros", "Non riceverai e-mail da noi", "لن تصلك رسائل منا", "לא תקבלו מאיתנו דוא״ל",
        "今後メールは届きません", "您不会再收到我们的邮件",
    ),
    "gone_text": (
        "This link belongs to a subscription that no longer exists. There is nothing left to do.",
        "Dieser Link gehört zu einem Abonnement, das es nicht mehr gibt. Es ist nichts mehr zu tun.",
        "Ce lien appartient à un abonnement qui n’existe plus. Il n’y a plus rien à faire.",
        "Este enlace pertenece a una suscripción que ya no existe. No hay nada más que hacer.",
        "Questo link appartiene a un’iscrizione che non esiste più. Non c’è altro da fare.",
        "هذا الرابط يخص اشتراكًا لم يعد موجودًا. لا يلزم فعل أي شيء.",
        "הקישור שייך להרשמה שאינה קיימת עוד. אין צורך בדבר.",
        "このリンクの購読はすでに存在しません。何もする必要はありません。",
        "此链接对应的订阅已不存在，无需任何操作。",
    ),
    "unknown_title": (
        "This link doesn’t work", "Dieser Link funktioniert nicht", "Ce lien ne fonctionne pas",
        "Este enlace no funciona", "Questo link non funziona", "هذا الرابط لا يعمل", "הקישור אינו פועל",
        "このリンクは使えません", "此链接无效",
    ),
    "unknown_text": (
        "Maybe a part of it was cut off. Open it again from the mail, or copy the whole address.",
        "Vielleicht fehlt ein Stück. Öffne ihn noch einmal aus der Mail oder kopiere die ganze Adresse.",
        "Il en manque peut-être une partie. Ouvrez-le de nouveau depuis l’e-mail ou copiez l’adresse entière.",
        "Quizá falte una parte. Ábralo de nuevo desde el correo o copie la dirección completa.",
        "Forse ne manca una parte. Aprilo di nuovo dall’e-mail o copia l’indirizzo intero.",
        "ربما ينقصه جزء. افتحه مرة أخرى من الرسالة أو انسخ العنوان كاملًا.",
        "ייתכן שחלק ממנו נחתך. פתחו אותו שוב מהדוא״ל או העתיקו את הכתובת כולה.",
        "一部が欠けているかもしれません。メールからもう一度開くか、アドレス全体をコピーしてください。",
        "链接可能不完整。请从邮件中重新打开，或复制完整地址。",
    ),
}  # fmt: skip


def words(language: str) -> Mapping[str, str]:
    """Every sentence in `language`, English where we don't speak it."""
    column = LANGUAGES.index(base_language(language))
    return {key: row[column] for key, row in _TABLE.items()}
