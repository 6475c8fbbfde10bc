//! What motor controllers tell: one layout of each reply for all firmware since 3.07, which only grew, and one for older.

use veschub_wire::Firmware;

use super::{
    form::{
        Form, Group, Item, Old, Type,
        Written::{Also, Fixed, Flags, Number, Whole},
    },
    groups::{groups, items},
};

const C: Form = Form::I16(10.0);
const A: Form = Form::I32(100.0);
const AH: Form = Form::I32(10_000.0);
const MILLI: Form = Form::I32(1e3);
const MICRO: Form = Form::I32(1e6);

/// GET_VALUES since 3.07.
pub(super) const VALUES: &[Group] = groups! {
    [3, 7;
        fet_temperature_c: Number(C), "Temperature of the power transistors, °C.";
        motor_temperature_c: Number(C), "Temperature of the motor, °C.";
        motor_current_a: Number(A), "Current of the motor, A.";
        input_current_a: Number(A), "Current of the supply, A.";
        id_current_a: Number(A), "Current along the rotor's field, A.";
        iq_current_a: Number(A), "Current across the rotor's field, A.";
        duty: Number(Form::I16(1e3)), "Duty cycle, -1 to 1.";
        erpm: Number(Form::I32(1.0)), "Electrical speed, revolutions per minute.";
        input_voltage_v: Number(C), "Voltage of the supply, V.";
        drawn_ah: Number(AH), "Charge drawn, Ah.";
        charged_ah: Number(AH), "Charge given back, Ah.";
        drawn_wh: Number(AH), "Energy drawn, Wh.";
        charged_wh: Number(AH), "Energy given back, Wh.";
        tachometer: Whole, "Position counter, steps; backwards counts down.";
        tachometer_absolute: Whole, "Distance counter, steps; backwards counts up as well.";
        fault: Number(Form::U8), "Fault code.";
        fault_name: Also(Type::Text), "The fault code's name, without a prefix: \"OVER_VOLTAGE\".";

    ]
    [3, 34; pid_position_deg: Number(MICRO), "Position that the position controller sees, degrees.";]
    [3, 40; can_id: Number(Form::U8), "CAN id of the controller.";]
    [3, 48; fet_temperatures_c: Fixed(3, C), "Temperatures of the transistors of each phase, °C.";]
    [3, 60;
        vd_v: Number(MILLI), "Voltage along the rotor's field, V.";
        vq_v: Number(MILLI), "Voltage across the rotor's field, V.";

    ]
    [5, 3;
        timeout_active: Flags, "Whether the time-out stopped the motor.";
        kill_switch_active: Also(Type::Flag), "Whether the kill switch stopped the motor.";

    ]
};

/// GET_VALUES up to 3.00; 3.07 is the next firmware with a tag.
pub(super) const OLD_VALUES: Old = Old {
    before: Firmware::new(3, 7),
    items: items![
        board_temperatures_c: Fixed(6, C), "Temperatures at six places of the board, °C; firmware up to 3.00.";
        pcb_temperature_c: Number(C), "Temperature of the circuit board, °C; firmware up to 3.00.";
        motor_current_a: Number(A), "Current of the motor, A.";
        input_current_a: Number(A), "Current of the supply, A.";
        duty: Number(Form::I16(1e3)), "Duty cycle, -1 to 1.";
        erpm: Number(Form::I32(1.0)), "Electrical speed, revolutions per minute.";
        input_voltage_v: Number(C), "Voltage of the supply, V.";
        drawn_ah: Number(AH), "Charge drawn, Ah.";
        charged_ah: Number(AH), "Charge given back, Ah.";
        drawn_wh: Number(AH), "Energy drawn, Wh.";
        charged_wh: Number(AH), "Energy given back, Wh.";
        tachometer: Whole, "Position counter, steps; backwards counts down.";
        tachometer_absolute: Whole, "Distance counter, steps; backwards counts up as well.";
        fault: Number(Form::U8), "Fault code.";
        fault_name: Also(Type::Text), "The fault code's name, without a prefix.";
    ],
};

/// GET_VALUES_SETUP.
pub(super) const SETUP: &[Group] = groups! {
    [3, 48;
        fet_temperature_c: Number(C), "Temperature of the power transistors, °C.";
        motor_temperature_c: Number(C), "Temperature of the motor, °C.";
        total_motor_current_a: Number(A), "Currents of all motors together, A.";
        total_input_current_a: Number(A), "Currents of all supplies together, A.";
        duty: Number(Form::I16(1e3)), "Duty cycle, -1 to 1.";
        erpm: Number(Form::I32(1.0)), "Electrical speed, revolutions per minute.";
        speed_m_s: Number(MILLI), "Speed of the vehicle, m/s.";
        input_voltage_v: Number(C), "Voltage of the supply, V.";
        battery_level: Number(Form::I16(1e3)), "Charge left in the battery, 0 to 1.";
        total_ah: Number(AH), "Charge drawn by all controllers, Ah.";
        total_charged_ah: Number(AH), "Charge given back by all controllers, Ah.";
        total_wh: Number(AH), "Energy drawn by all controllers, Wh.";
        total_charged_wh: Number(AH), "Energy given back by all controllers, Wh.";
        distance_m: Number(MILLI), "Distance since the start, m; backwards counts down.";
        distance_absolute_m: Number(MILLI), "Distance since the start, m; backwards counts up as well.";
        pid_position_deg: Number(MICRO), "Position that the position controller sees, degrees.";
        fault: Number(Form::U8), "Fault code.";
        fault_name: Also(Type::Text), "The fault code's name, without a prefix: \"OVER_VOLTAGE\".";
        can_id: Number(Form::U8), "CAN id of the controller.";
        vesc_count: Number(Form::U8), "How many controllers the sums include.";
        battery_left_wh: Number(MILLI), "Energy left in the battery, Wh.";

    ]
    [5, 2; odometer_m: Number(Form::U32), "Distance ever, m.";]
    [5, 3; uptime_ms: Number(Form::U32), "Time since the start, ms.";]
};

/// GET_IMU_DATA, between its mask and the CAN id.
pub(super) const IMU: &[Group] = groups! {
    [3, 54;
        roll_rad: Number(Form::Float), "Roll, rad.";
        pitch_rad: Number(Form::Float), "Pitch, rad.";
        yaw_rad: Number(Form::Float), "Yaw, rad.";
        acceleration_x_g: Number(Form::Float), "Acceleration along x, g.";
        acceleration_y_g: Number(Form::Float), "Acceleration along y, g.";
        acceleration_z_g: Number(Form::Float), "Acceleration along z, g.";
        rotation_x_deg_s: Number(Form::Float), "Rotation about x, degrees per second.";
        rotation_y_deg_s: Number(Form::Float), "Rotation about y, degrees per second.";
        rotation_z_deg_s: Number(Form::Float), "Rotation about z, degrees per second.";
        magnetic_x: Number(Form::Float), "Magnetic field along x, in the sensor's own unit.";
        magnetic_y: Number(Form::Float), "Magnetic field along y, in the sensor's own unit.";
        magnetic_z: Number(Form::Float), "Magnetic field along z, in the sensor's own unit.";
        q0: Number(Form::Float), "Quaternion of the attitude, real part.";
        q1: Number(Form::Float), "Quaternion of the attitude, first imaginary part.";
        q2: Number(Form::Float), "Quaternion of the attitude, second imaginary part.";
        q3: Number(Form::Float), "Quaternion of the attitude, third imaginary part.";
    ]
};

/// What follows the fields of GET_IMU_DATA.
pub(super) const BEHIND_IMU: &[Group] = groups! {
    [6, 5; can_id: Number(Form::U8), "CAN id of the device.";]
};

/// GET_STATS.
pub(super) const STATS: &[Group] = groups! {
    [5, 3;
        speed_average_m_s: Number(Form::Float), "Average speed, m/s.";
        speed_max_m_s: Number(Form::Float), "Highest speed, m/s.";
        power_average_w: Number(Form::Float), "Average power, W.";
        power_max_w: Number(Form::Float), "Highest power, W.";
        current_average_a: Number(Form::Float), "Average current of the motor, A.";
        current_max_a: Number(Form::Float), "Highest current of the motor, A.";
        fet_temperature_average_c: Number(Form::Float), "Average temperature of the power transistors, °C.";
        fet_temperature_max_c: Number(Form::Float), "Highest temperature of the power transistors, °C.";
        motor_temperature_average_c: Number(Form::Float), "Average temperature of the motor, °C.";
        motor_temperature_max_c: Number(Form::Float), "Highest temperature of the motor, °C.";
        time_s: Number(Form::Float), "Time since the reset, s.";
    ]
};

/// What a reading may say of fields that the mask names and the firmware does not know.
pub(super) const NOT_THERE: &[Group] = groups! {
    [0, 0; not_there: Also(Type::Names), "Fields that the mask names and that the reply does not have.";]
};
