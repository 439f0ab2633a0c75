//! Settings reach the program from every layer. A wrong setting stops the program before it does anything.

use crate::support::program::Workplace;

#[test]
fn flags_override_the_environment_which_overrides_files() {
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
fn help_has_examples() {
    let workplace = Workplace::new();
    let help = workplace.run(&["--help"]).succeeded().stdout;
    assert!(help.contains("innkeeper serve --demo") && help.contains("innkeeper import bookings"), "{help}");
    let help = workplace.run(&["serve", "--help"]).succeeded().stdout;
    assert!(help.contains("--max-connections") && help.contains("INNKEEPER_ADMIN_TOKEN"), "{help}");
}

#[test]
fn a_secret_is_no_flag_and_its_variable_is_named() {
    let workplace = Workplace::new();
    for (flag, variable) in [
        ("--admin-token", "INNKEEPER_ADMIN_TOKEN"),
        ("--redis-url", "INNKEEPER_REDIS_URL"),
        ("--cluster-secret", "INNKEEPER_CLUSTER_SECRET"),
    ] {
        for given in [&[flag, "hush-hush-hush-hush"][..], &[&format!("{flag}=hush-hush-hush-hush")], &[flag]] {
            for command in ["serve", "verify", "migrate"] {
                let message = workplace.run(&[&[command], given].concat()).failed(2);
                assert!(message.contains(variable) && message.contains("command line"), "{message}");
                assert!(!message.contains("hush"), "{message}");
            }
        }
    }
}

#[test]
fn a_misspelt_word_of_a_setting_is_a_usage_error_that_names_the_nearest() {
    let workplace = Workplace::new();
    for (variable, value, hint) in [
        ("INNKEEPER_LOG", "inof", "did you mean info?"),
        ("INNKEEPER_LOG_FORMAT", "jsn", "did you mean json?"),
        ("INNKEEPER_ACCESS_LOG", "of", "did you mean off?"),
    ] {
        let message = workplace.run_with(&["verify"], &[(variable, value)]).failed(2);
        assert!(message.contains(hint) && message.contains(variable), "{message}");
    }
}
