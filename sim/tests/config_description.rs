//! Configurations by the names of their fields: `decode` and `encode` with a parameter file.

use snapbox::{
    cmd::{Command, OutputAssert},
    str,
};
use veschub_wire::{Request, encode};

const MOTOR: &str = "../scenarios/parameters/own-mcconf.xml";
const NEWER: &str = "../scenarios/parameters/own-mcconf-newer.xml";

fn sim(args: &[&str], stdin: &[u8]) -> OutputAssert {
    Command::new(env!("CARGO_BIN_EXE_veschub-sim"))
        .args(args)
        .stdin(stdin.to_vec())
        .assert()
}

/// The frame that `encode` makes of these words.
fn made(words: &[&str]) -> Vec<u8> {
    let args = [
        &["encode", "--binary", "--config-description", MOTOR],
        words,
    ]
    .concat();
    sim(&args, b"").success().get_output().stdout.clone()
}

#[test]
fn encode_takes_values_by_name_and_decode_shows_them_by_name() {
    let frame = made(&[
        "SET_MCCONF",
        "l_current_max=82.5",
        "motor_type=Brushed",
        "m_invert_direction=true",
    ]);
    let decode = [
        "decode",
        "--raw",
        "to-device",
        "--config-description",
        NEWER,
        "--config-description",
        MOTOR,
        "-",
    ];
    sim(&decode, &frame).success().stdout_eq(str![[r#"
      -  > device  SET_MCCONF  signature=4076786715 config=29 fields
                    motor_type              "Brushed"
                    l_current_max           82.5
                    l_current_min           -60
                    l_in_current_max        30
                    l_in_current_min        -10
                    l_abs_current_max       130
                    l_min_erpm              -30000
                    l_max_erpm              30000
                    l_max_duty              0.95
                    l_battery_cut_start     40
                    l_battery_cut_end       36
                    cc_min_current          0.05
                    foc_motor_r             0.02
                    foc_motor_flux_linkage  0.005
                    s_pid_ramp_erpms_s      25000
                    si_motor_poles          14
                    si_gear_ratio           3
                    si_wheel_diameter       0.083
                    si_battery_cells        20
                    si_battery_ah           12
                    m_invert_direction      true
                    hall_table__0           255
                    hall_table__1           1
                    m_dead_time_ns          360
                    m_temp_offset           -5
                    m_encoder_counts        8192
                    m_odometer_trim         -1
                    p_pid_kp                0.025
                    l_additional_faults     0
0 logins, 1 frame, 0 noise bytes; to device: SET_MCCONF 1

"#]]);
}

#[test]
fn json_has_the_fields_as_an_object_in_the_order_of_the_wire() {
    let frame = made(&["FORWARD_CAN", "84", "SET_MCCONF", "l_current_max=501"]);
    let decode = [
        "decode",
        "--raw",
        "to-device",
        "--json",
        "--config-description",
        MOTOR,
        "-",
    ];
    sim(&decode, &frame).success().stdout_eq(str![[r#"
{"at":null,"direction":"to-device","offset":0,"kind":"frame","command":"FORWARD_CAN","payload":"22540df2fed41b0143fa8000c270000041f00000c120000043020000c6ea600046ea6000251c422000004210000001f43ca3d70a3ba3d70a09c40e404000003da9fbe7144140000000ff010168fffb00002000ffffffff000061a800","fields":{"can_id":84,"command":"SET_MCCONF","fields":{"signature":4076786715,"config":{"motor_type":"Field & vectors","l_current_max":501.0,"l_current_min":-60.0,"l_in_current_max":30.0,"l_in_current_min":-10.0,"l_abs_current_max":130.0,"l_min_erpm":-30000.0,"l_max_erpm":30000.0,"l_max_duty":0.95,"l_battery_cut_start":40.0,"l_battery_cut_end":36.0,"cc_min_current":0.05,"foc_motor_r":0.02,"foc_motor_flux_linkage":0.005,"s_pid_ramp_erpms_s":25000.0,"si_motor_poles":14,"si_gear_ratio":3.0,"si_wheel_diameter":0.083,"si_battery_cells":20,"si_battery_ah":12.0,"m_invert_direction":false,"hall_table__0":255,"hall_table__1":1,"m_dead_time_ns":360,"m_temp_offset":-5,"m_encoder_counts":8192,"m_odometer_trim":-1,"p_pid_kp":0.025,"l_additional_faults":0},"beyond_limits":["l_current_max"]}}}

"#]]);
}

#[test]
fn a_configuration_of_another_firmware_or_one_that_is_cut_off_is_told_as_that() {
    let frame = made(&["SET_MCCONF"]);
    let decode = [
        "decode",
        "--raw",
        "to-device",
        "--config-description",
        NEWER,
        "-",
    ];
    sim(&decode, &frame).success().stdout_eq(str![[r#"
      -  > device  SET_MCCONF  signature=4076786715 data=0142700000c270000041f00000c120000043020000c6ea600046ea6000251c42… undescribed="it has another signature than what was described (691252605)"
0 logins, 1 frame, 0 noise bytes; to device: SET_MCCONF 1

"#]]);

    let request = Request::decode(&frame[2..frame.len() - 3])
        .unwrap()
        .body
        .encode();
    let cut = encode(&request[..20]).unwrap();
    let decode = [
        "decode",
        "--raw",
        "to-device",
        "--config-description",
        MOTOR,
        "-",
    ];
    sim(&decode, &cut).success().stdout_eq(str![[r#"
      -  > device  SET_MCCONF  signature=4076786715 data=0142700000c270000041f00000c120 undescribed="`l_in_current_min` (field 5) at offset 13 needs 4 bytes, 2 are t"…
0 logins, 1 frame, 0 noise bytes; to device: SET_MCCONF 1

"#]]);
}

#[test]
fn mistakes_say_where_they_are_and_what_was_wanted() {
    let encode = |words: &[&str]| {
        sim(
            &[&["encode", "--config-description", MOTOR], words].concat(),
            b"",
        )
        .code(2)
    };
    encode(&["SET_MCCONF", "l_curent_max=60"]).stderr_eq(str![[r#"
error: the description has no field `l_curent_max`; did you mean l_current_max?

"#]]);
    encode(&["SET_MCCONF", "si_motor_poles=300"]).stderr_eq(str![[r#"
error: `si_motor_poles` is 300, wanted a whole number from 0 to 255

"#]]);
    encode(&["SET_MCCONF", "60"]).stderr_eq(str![[r#"
error: `60` is no argument, wanted NAME=VALUE, as in l_current_max=60

"#]]);
    encode(&["GET_VALUES"]).stderr_eq(str![[r#"
error: `--config-description` is for SET_MCCONF, SET_APPCONF and SET_APPCONF_NO_STORE, not for GET_VALUES

"#]]);
    let wrong = sim(&["decode", "--config-description", "Cargo.toml", "-"], b"");
    wrong.code(2).stderr_eq(str![[r#"
error: Cargo.toml: line 1: the file cannot be read as XML: unknown token at 1:1

"#]]);
    let missing = sim(&["decode", "--config-description", "no-such.xml", "-"], b"");
    missing.code(2).stderr_eq(str![[r#"
error: no-such.xml: cannot open it: No such file or directory (os error 2)

"#]]);
}
