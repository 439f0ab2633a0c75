//! Settings reach the program from every layer, and wrong ones stop it before it does anything.

use crate::support::program::Workplace;

#[test]
fn flags_are_stronger_than_the_environment_and_that_than_files() {
    let workplace = Workplace::sqlite();
    workplace.file("innkeeper.toml", "database_url = 'sqlite://from-file.db'");
    let exists = |name: &str| workplace.path().join(name).exists();
    workplace.run(&["migrate"]).succeeded();
    assert!(exists("from-file.db"));
    workplace.file(".env", "INNKEEPER_DATABASE_URL=sqlite://from-dotenv.db");
    workplace.run(&["migrate"]).succeeded();
    assert!(exists("from-dotenv.db"));
    let environment = [("INNKEEPER_DATABASE_URL", "sqlite://from-environment.db")];
    workplace.run_with(&["migrate"], &environment).succeeded();
    assert!(exists("from-environment.db"));
    workplace.run_with(&["migrate", "--database-url", "sqlite://from-flag.db"], &environment).succeeded();
    assert!(exists("from-flag.db"));
}

#[test]
fn an_unknown_setting_is_a_usage_error_that_names_the_nearest() {
    let workplace = Workplace::new();
    let message = workplace.run_with(&["migrate"], &[("INNKEEPER_LISTN", "127.0.0.1:1")]).failed(2);
    assert!(message.contains("INNKEEPER_LISTN is not a setting"), "{message}");
    assert!(message.contains("did you mean INNKEEPER_LISTEN?"), "{message}");
    workplace.file("innkeeper.toml", "mailbx = 3");
    let message = workplace.run(&["verify"]).failed(2);
    assert!(message.contains("innkeeper.toml") && message.contains("did you mean mailbox?"), "{message}");
}

#[test]
fn a_value_out_of_range_names_key_origin_and_rule() {
    let message = Workplace::new().run(&["migrate", "--batch", "0"]).failed(2);
    assert_eq!(message, "innkeeper: batch must be a whole number from 1 to 4096, not \"0\" (it comes from --batch)\n");
}

#[test]
fn help_teaches_with_examples() {
    let workplace = Workplace::new();
    let help = workplace.run(&["--help"]).succeeded().stdout;
    assert!(help.contains("innkeeper serve --demo") && help.contains("innkeeper import bookings"), "{help}");
    let help = workplace.run(&["serve", "--help"]).succeeded().stdout;
    assert!(help.contains("--max-connections") && help.contains("INNKEEPER_ADMIN_TOKEN"), "{help}");
}
