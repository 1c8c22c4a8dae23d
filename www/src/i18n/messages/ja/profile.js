// 自分のページ、参加、パスワードの再設定。
export default {
  "menu.yours": "自分の設定",
  "menu.switch": "アカウントの切り替え",
  "profile.title": "プロフィール",
  "profile.details": "基本情報",
  "profile.email.hint": "所属するすべてのアカウントで、サインインに使うアドレスです。",
  "profile.name.hint": "アクティビティなどで、ほかのメンバーに表示されます。",
  "profile.language.hint": "このコンソールと、あなた宛てのメールに使います。",
  "profile.edit": "名前と言語を編集",
  "profile.edit.title": "プロフィールの編集",
  "result.profile_edited": "プロフィールを保存しました。",

  "password.lead": "所属するすべてのアカウントで、同じパスワードを使います。",
  "password.change": "パスワードを変更",
  "password.change.title": "パスワードの変更",
  "password.change.body": "所属するすべてのアカウントで、ほかのブラウザはサインアウトされます。",
  "password.change.busy": "変更中…",
  "password.current": "現在のパスワード",
  "password.new": "新しいパスワード",
  "result.password_changed": "パスワードを変更しました。ほかのブラウザはサインアウトされました。",

  "browsers.heading": "サインイン中のブラウザ",
  "browsers.lead":
    "このアカウントにあなたとしてサインインしているブラウザです。心当たりのないものはサインアウトさせ、パスワードを変更してください。",
  "browsers.on": "{browser}（{system}）",
  "browsers.unknown": "不明なブラウザ",
  "browsers.unknown.on": "不明なブラウザ（{system}）",
  "browsers.this": "このブラウザ",
  "browsers.seen": "最終アクセス：{ago}",
  "browsers.since": "サインイン：{at}",
  "browsers.end.label": "{name}、{address}をサインアウト",
  "browsers.end-others": "ほかをすべてサインアウト",
  "browsers.end-others.title": "ほかのブラウザをすべてサインアウトさせますか。",
  "browsers.end-others.body": {
    other:
      "ほかの{count}台のブラウザが、ただちにこのアカウントからサインアウトされます。再びサインインするにはパスワードが必要です。",
  },
  "loading.browsers": "ブラウザを読み込み中",
  "problem.browsers_not_loaded": "サインイン中のブラウザを読み込めませんでした。変更は行われていません。",
  "problem.browser_not_found": "このブラウザはすでにサインアウトしています。",
  "result.browser_ended": "{name}をサインアウトさせました。",
  "result.others_ended": "ほかのブラウザをすべてサインアウトさせました。",

  "notices.heading": "メールでのお知らせ",
  "notices.lead": "自分のサインインに関するメールのほかに、このアカウントのキーについて受け取るお知らせです。",
  "notices.key_issued": "新しいキー",
  "notices.key_issued.hint":
    "メンバーがキーを発行したとき。オーナーにはすべてのキー、ほかのメンバーには自分のキーについて届きます。",
  "notices.key_network": "新しいネットワークでのキーの使用",
  "notices.key_network.hint": "キーが、それまでと異なるネットワークから使われたとき。",
  "notices.key_end": "まもなく期限を迎えるキー",
  "notices.key_end.hint": "キーの有効期限のおよそ30日前、10日前、1日前。",
  "notices.always":
    "新しいネットワークからのサインイン、パスワードや役割の変更、キーの削除については、必ずメールが届きます。オーナーには、サービスパスワード、アクティビティの書き出し、メンバーの参加についても届きます。",
  "notices.save": "お知らせを保存",
  "loading.notices": "お知らせの設定を読み込んでいます",
  "problem.notices_not_loaded": "お知らせの設定を読み込めませんでした。何も変更されていません。",
  "result.notices_saved": "お知らせの設定を保存しました。",

  "accounts.heading": "所属するアカウント",
  "accounts.lead": "別のアカウントを開くと、このブラウザでは今のアカウントが閉じます。",
  "accounts.current": "表示中",
  "accounts.open": "開く",
  "accounts.open.label": "{name}を開く",
  "accounts.unreached": "現在接続できません",
  "accounts.opening": "開いています…",
  "problem.own_account_not_found": "このアカウントにはもう所属していません。",

  // 参加
  "loading.invitation": "招待を読み込み中",
  "join.title": "招待",
  "join.title.account": "「{account}」への参加",
  "join.by": "招待した人",
  "join.until": "リンクの期限",
  "join.new": "参加するには、名前とパスワードを決めてください。",
  "join.known": "すでにパスワードをお持ちです。入力すると参加できます。",
  "join.submit": "参加",
  "join.busy": "処理しています…",
  "join.other":
    "{name}さん（{email}）としてサインインしていますが、この招待は{invited}宛てです。参加するには、サインアウトしてください。",
  "join.other.leave": "サインアウトして続ける",
  "join.other.stay": "サインインしたままにする",
  "problem.invitation_refused": "この招待のリンクは、期限が切れているか不完全です。新しい招待を依頼してください。",
  "problem.invitation_over":
    "この招待は、使用、取り消し、または再送されたか、期限が切れています。参加済みの場合はサインインしてください。そうでない場合は、新しい招待を依頼してください。",
  "problem.invitation_token_gone": "招待のリンクは保存されません。受け取ったメールからもう一度開いてください。",
  "problem.address_taken":
    "このメールアドレスにはすでにパスワードがあります。そのパスワードを入力すると、アカウントが追加されます。",
  "problem.join_taken":
    "このアドレスは現在、別のアカウントへの参加に使われています。数分待ってからもう一度お試しください。",

  // パスワードの再設定
  "reset.link": "パスワードをお忘れですか",
  "reset.title": "パスワードの再設定",
  "reset.lead": "メールでコードを送ります。コードを使って、新しいパスワードを決められます。",
  "reset.mail-off": "コードはメールで送りますが、メールが設定されていません。サービスの運営者にお問い合わせください。",
  "reset.send": "コードを送信",
  "reset.mailed":
    "{address}がメンバーのアドレスであれば、コードを送りました。{until}（{zone}）まで、{count}回入力できます。",
  "reset.mailed-again":
    "{address}がメンバーのアドレスであれば、新しいコードを送りました。{until}（{zone}）まで、{count}回入力できます。",
  "reset.code": "メールに記載のコード",
  "reset.code.hint": "8桁の数字です。",
  "reset.submit": "パスワードを設定",
  "reset.other-address": "別のアドレスを使う",
  "reset.back": "サインインへ戻る",
  "reset.done": "パスワードを変更し、すべてサインアウトしました。新しいパスワードでサインインしてください。",

  "error.password.refused": "パスワードが一致しません。もう一度入力してください。",
  "error.new_password.required": "新しいパスワードを入力してください。",
  "error.new_password.too_short": "パスワードは{min}文字以上にしてください。",
  "error.new_password.too_long": "パスワードは{max}文字以内にしてください。",
  "error.common": "推測されやすいパスワードです。別のものにしてください。",
  "error.own_names": "名前などから推測できるパスワードです。別のものにしてください。",
  "error.same": "現在のパスワードと同じです。別のものにしてください。",
  "error.code.not_a_code": "コードは{digits}桁の数字です。",
  "error.code.refused": "コードが一致しないか、使えなくなっています。確かめるか、再送してください。",
};
