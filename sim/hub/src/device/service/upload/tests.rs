use veschub_wire::number::Text;

use super::*;

/// A head and an image of so many bytes.
fn file(size: usize) -> Vec<u8> {
    let image: Vec<u8> = (0..size).map(|at| ((at * 31) >> 3) as u8).collect();
    [&ImageHead::of(&image).bytes()[..], &image].concat()
}

fn ask(upload: &mut Upload, command: UploadCommand) -> Result<(Span, UploadReply), Silence> {
    let request = Request::Upload(command);
    let answers = upload.request(Time::ZERO, &request, &MotorState::default());
    let answers = answers.unwrap()?;
    assert!(answers.releases());
    let (after, answer) = answers.into_iter().next().unwrap();
    match answer.truth.as_deref() {
        Some(Reply::Upload(reply)) => Ok((after, *reply)),
        other => panic!("{other:?}"),
    }
}

fn erase(upload: &mut Upload, size: u32) -> bool {
    let reply = ask(upload, UploadCommand::Erase { size }).unwrap().1;
    matches!(reply, UploadReply::Erased { ok: 1 })
}

fn write(upload: &mut Upload, offset: u32, data: &[u8]) -> (u8, Option<u32>) {
    let data = data.to_vec();
    match ask(upload, UploadCommand::Write { offset, data }) {
        Ok((_, UploadReply::Written(ack))) => (ack.ok, ack.offset),
        other => panic!("{other:?}"),
    }
}

/// Writes all of it, 384 bytes at a time.
fn write_all(upload: &mut Upload, file: &[u8]) {
    for (index, piece) in file.chunks(384).enumerate() {
        assert_eq!(write(upload, 384 * index as u32, piece).0, 1);
    }
}

fn jump(upload: &mut Upload) -> Silence {
    ask(upload, UploadCommand::Jump).unwrap_err()
}

#[test]
fn a_whole_image_starts_and_one_with_a_missing_piece_does_not() {
    for (to, bad) in [
        (UploadTo::Motor, Silence::StartsOldFirmware),
        (UploadTo::Express, Silence::NewFirmwareRefused),
        (UploadTo::Bms, Silence::StartsOldFirmware),
    ] {
        let file = file(2000);
        let mut upload = Upload::new(to, "DEMO");
        assert_eq!(jump(&mut upload), bad, "{to:?}: nothing was written");
        assert!(erase(&mut upload, file.len() as u32));
        write_all(&mut upload, &file);
        assert_eq!(jump(&mut upload), Silence::StartsNewFirmware, "{to:?}");
        assert!(erase(&mut upload, file.len() as u32));
        write(&mut upload, 0, &file[..384]);
        write(&mut upload, 768, &file[768..]);
        assert_eq!(jump(&mut upload), bad, "{to:?}: a piece is missing");
    }
}

#[test]
fn a_repeated_piece_changes_nothing_and_pieces_of_ff_need_not_be_sent() {
    let mut image = vec![0xFF; 1500];
    image[0] = 1;
    image[1400..].fill(2);
    let file = [&ImageHead::of(&image).bytes()[..], &image].concat();
    let mut upload = Upload::new(UploadTo::Motor, "DEMO");
    erase(&mut upload, file.len() as u32);
    for offset in [0, 0, 1152, 1152] {
        let piece = &file[offset..file.len().min(offset + 384)];
        write(&mut upload, offset as u32, piece);
    }
    assert_eq!(jump(&mut upload), Silence::StartsNewFirmware);
    write(&mut upload, 10, &[0]);
    assert_eq!(jump(&mut upload), Silence::StartsOldFirmware);
}

#[test]
fn a_compressed_piece_is_written_as_it_was_and_a_broken_one_is_refused() {
    let mut upload = Upload::new(UploadTo::Motor, "DEMO");
    let mut lzo = |length, data: &[u8]| {
        let data = data.to_vec();
        let offset = 384;
        match ask(
            &mut upload,
            UploadCommand::WriteLzo {
                offset,
                length,
                data,
            },
        ) {
            Ok((_, UploadReply::Written(ack))) => (ack.ok, ack.offset),
            other => panic!("{other:?}"),
        }
    };
    let compressed = b"\x15\x01\x02\x03\x04\x2D\0\0\x11\0\0";
    assert_eq!(lzo(19, compressed), (1, Some(384)));
    assert_eq!(lzo(18, compressed).0, 0);
    assert_eq!(lzo(19, &compressed[..9]).0, 0);
    let written: Vec<u8> = upload.flash.read(384, 20).collect();
    assert_eq!(written, [&[1, 2, 3][..], &[4; 16], &[0xFF]].concat());
}

#[test]
fn an_express_needs_room_and_counts_without_the_head() {
    let mut upload = Upload::new(UploadTo::Express, "DEMO");
    let file = file(1000);
    assert_eq!(write(&mut upload, 0, &file[..384]), (0, Some(0)));
    assert!(erase(&mut upload, file.len() as u32));
    assert_eq!(write(&mut upload, 0, &file[..384]), (1, Some(0)));
    assert_eq!(write(&mut upload, 384, &file[384..768]), (1, Some(378)));
    assert_eq!(write(&mut upload, 3, &[]).1, Some(0));
    assert!(!erase(&mut upload, 5) && !erase(&mut upload, u32::MAX));
    assert_eq!(write(&mut upload, 0, &[1]).0, 0);
}

#[test]
fn old_firmware_acknowledges_without_the_offset() {
    let mut upload = Upload::new(UploadTo::Motor, "DEMO").without_offsets();
    assert_eq!(write(&mut upload, 384, &[1]), (1, None));
}

#[test]
fn erasing_takes_its_time_and_all_devices_on_the_bus_take_longer() {
    let mut upload = Upload::new(UploadTo::Motor, "DEMO");
    let mut took = |command| ask(&mut upload, command).unwrap().0;
    let size = 2 * SECTOR + 1;
    assert_eq!(took(UploadCommand::Erase { size }), Span::from_secs(3));
    let all = UploadCommand::EraseAllCan { size: 1 };
    assert_eq!(took(all), Span::from_millis(2500));
    let most = UploadCommand::Erase { size: u32::MAX };
    assert_eq!(took(most), Span::from_secs(3));
}

#[test]
fn the_bootloader_is_erased_by_itself_and_lies_behind_the_firmware() {
    let mut upload = Upload::new(UploadTo::Motor, "DEMO");
    let at = |upload: &Upload| upload.flash.read(BOOTLOADER_OFFSET as usize, 1).next();
    assert_eq!(write(&mut upload, BOOTLOADER_OFFSET, &[7]).0, 1);
    erase(&mut upload, 1);
    assert_eq!(at(&upload), Some(7));
    ask(&mut upload, UploadCommand::EraseBootloader).unwrap();
    assert_eq!(at(&upload), Some(0xFF));
    assert_eq!(write(&mut upload, MOTOR_CAPACITY as u32, &[7]).0, 0);
    assert_eq!(write(&mut upload, u32::MAX, &[7]).0, 0);
}

#[test]
fn a_bms_takes_what_names_its_hardware_and_is_silent_to_all_else() {
    let mut upload = Upload::new(UploadTo::Bms, "DEMO-BMS");
    let named = |hardware_type, name: &str| UploadCommand::EraseHw {
        hardware_type,
        hardware: Text::from(name),
        size: 100,
    };
    assert!(ask(&mut upload, named(1, "DEMO-BMS")).is_ok());
    for other in [named(0, "DEMO-BMS"), named(1, "OTHER"), named(1, "")] {
        assert_eq!(ask(&mut upload, other), Err(Silence::ForOtherHardware));
    }
    // It writes whole words.
    write(&mut upload, 0, &[1, 2, 3]);
    let written: Vec<u8> = upload.flash.read(0, 9).collect();
    assert_eq!(written, [1, 2, 3, 0, 0, 0, 0, 0, 0xFF]);
}
